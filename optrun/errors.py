"""Errors a person can act on. The command line prints them without a traceback."""


class UserError(Exception):
    """Something the user can mend: says what is wrong, where, and what to do instead."""


class ConfigError(UserError):
    """A config that cannot be run; the message lists every problem with its place."""


class DataError(UserError):
    """A dataset that is absent, truncated or not what it claims to be."""


class RunError(UserError):
    """A run directory that is missing, unreadable, in use or not a run."""


class RunBusy(RunError):
    """A run directory that another process is writing to."""


class DiskFull(RunError):
    """There is no room to write to."""
