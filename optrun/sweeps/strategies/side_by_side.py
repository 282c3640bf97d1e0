"""Several searches at once."""

from collections import deque
from collections.abc import Iterable, Iterator

from optrun.sweeps.space.candidates import Job


def side_by_side(searches: Iterable[Iterator[Job | None]]) -> Iterator[Job | None]:
    """A job of each search in turn; None only where all that are left wait."""
    left = deque(searches)
    while left:
        waiting = 0
        while waiting < len(left):
            search = left.popleft()
            try:
                job = next(search)
            except StopIteration:
                continue
            left.append(search)
            if job is None:
                waiting += 1
            else:
                waiting = 0
                yield job
        if left:
            yield None
