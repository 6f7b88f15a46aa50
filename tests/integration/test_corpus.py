"""A sample of the pairs of schemas beside the checkout, each in one of the judge's modes.

Pairs and modes are chosen by the hash of the pair's name, so that the sample stays what it is when
pairs are added. `make corpus` judges all of them, in every mode.
"""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterator

import pytest

from tests.corpus import CORPUS, LEAVING, MODES, Job, Judge, cases
from tests.novaops_server import forked_novaops

SHARE = 16
"""One pair of so many."""


def sample() -> list[Job]:
    jobs = []
    for name, case in cases():
        number = int.from_bytes(hashlib.sha256(f"{name}/{case}".encode()).digest())
        if number % SHARE == 0:
            mode = list(MODES)[number // SHARE % len(MODES)]
            jobs.append(Job(name, mode, ("--only", glob.escape(case))))
    return jobs


@pytest.fixture(scope="module")
def judge(server_url: str) -> Iterator[Judge]:
    with forked_novaops() as command:
        yield Judge.on(server_url, command)


@pytest.mark.skipif(not cases(), reason=f"not run: there is no corpus in {CORPUS}")
@pytest.mark.parametrize("job", sample(), ids=lambda job: f"{job.set}-{job.mode}-{job.choice[-1]}")
def test_pair(judge: Judge, job: Job) -> None:
    (verdict,) = judge.verdicts(job)
    if not verdict.counts:
        pytest.skip(f"{verdict}: {verdict.detail}")
    known = LEAVING.get((verdict.set, verdict.mode, verdict.case), "ok")
    assert verdict.verdict == known, verdict.detail
