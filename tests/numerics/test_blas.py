"""What is asked of BLAS, and what it is known to be good at."""

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from optrun.numerics import blas
from optrun.numerics.blas import one_thread, small_product


def test_blas_has_one_thread_within_a_run_and_as_many_as_before_afterwards():
    with one_thread():  # the libraries are known from here on
        pass
    for threads in (2, 3):
        with threadpool_limits(threads, user_api="blas"):
            before = blas_threads()
            with one_thread():
                assert set(blas_threads()) == {1}
            assert blas_threads() == before


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize(
    ("architectures", "expected"),
    [(["SkylakeX", "SkylakeX"], 1e6), (["Haswell"], float("inf")), ([None], float("inf"))],
)
def test_small_products_are_told_apart_where_blas_does_so(architectures, expected, monkeypatch):
    class Pools:
        def info(self):
            return [{"user_api": "blas", "architecture": name} for name in architectures]

    monkeypatch.setattr(blas, "blas_pools", Pools)
    assert small_product.__wrapped__() == expected
