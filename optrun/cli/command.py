"""What all commands have in common: options are given once, and help is wrapped to the terminal."""

import re
from collections.abc import Sequence
from inspect import cleandoc
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


def refuse_repeated(command: TyperCommand | TyperGroup, context: Any, words: Sequence[str]) -> None:
    """Fail if an option that takes one value is given several times: one would be dropped."""
    order: list[Any] = command.make_parser(context).parse_args(args=list(words))[2]
    for option in {*order}:
        times = order.count(option)
        is_single = option.param_type_name == "option" and not option.multiple and option.nargs == 1
        if times > 1 and is_single and not option.is_flag:
            context.fail(f"{option.opts[0]} is given {times} times, and takes one value")


class Command(TyperCommand):
    """A command whose options are given once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        refuse_repeated(self, ctx, args)
        return super().parse_args(ctx, args)


class Group(TyperGroup):
    """A group of commands whose options are given once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        refuse_repeated(self, ctx, args)
        return super().parse_args(ctx, args)


def settle(app: typer.Typer) -> None:
    """Make all commands of an application, and of the groups in it, such commands."""
    for command in app.registered_commands:
        command.cls = Command
        command.help = paragraphs(command.help or (command.callback and command.callback.__doc__))
    for group in app.registered_groups:
        group.cls = Group
        if group.typer_instance:
            settle(group.typer_instance)


def paragraphs(text: str | None) -> str:
    """The text with a line a paragraph, for the terminal to wrap."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", cleandoc(text or ""))
