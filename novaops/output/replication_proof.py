"""What proves that rows arrive: health, a barrier, equal rows, a row that is heard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from novaops.output.json import dumps
from novaops.output.replication import finding_lines, finding_value
from novaops.output.terminal import visible, write_data, write_lines
from novaops.output.text import next_line
from novaops.output.tree import counted
from novaops.replication.declaration import Replication
from novaops.replication.proof.compare import TableComparison, in_order
from novaops.replication.proof.sentinel import Sentinel
from novaops.replication.proof.verify import Proof

Compared = tuple[Replication, Sequence[TableComparison]]
SIGN = {True: (" ✓ ", "green"), False: (" ✗ ", "bold red")}


def write_proofs(proofs: Sequence[Proof], form: str) -> None:
    """A line for each step of each proof."""
    if form == "json":
        write_data(dumps({"format_version": 1, "replications": [_proof_value(proof) for proof in proofs]}))
        return
    write_lines(line for proof in proofs for line in proof_lines(proof))


def write_differences(compared: Sequence[Compared]) -> None:
    """The same on stderr: before a question."""
    write_lines([line for each in compared for line in _tables(*each)], stderr=True)


def write_comparisons(compared: Sequence[Compared], form: str) -> None:
    """The tables of each replication, with the keys that differ."""
    if form == "json":
        values = [
            {"name": r.name, "source": str(r.source), "target": str(r.target), "tables": list(map(_table_value, tables))}
            for r, tables in compared
        ]  # fmt: skip
        write_data(dumps({"format_version": 1, "replications": values}))
        return
    write_lines(line for each in compared for line in comparison_lines(*each))


def proof_lines(proof: Proof) -> Iterator[Text]:
    """The steps that were taken, and what was found."""
    verdict = ("proven", "green") if proof.proven else ("not proven", "bold red")
    yield Text.assemble(
        (visible(str(proof.replication)), "bold"), "   ", verdict, f" ({proof.seconds:.1f} s)"
    )
    steps = {"rows-differ", "not-heard", "barrier", "slow", "no-sentinel"}
    sick = [f for f in proof.findings if f.severity != "note" and f.name not in steps]
    if proof.barrier is not None or not sick:
        yield Text.assemble(
            SIGN[not sick], "health     every table ready, the worker stays, the slot is read"
        )
    if proof.barrier is not None:
        took = (
            f"passed after {proof.barrier.seconds * 1000:.0f} ms"
            if proof.barrier.passed
            else "has not passed"
        )
        yield Text.assemble(SIGN[proof.barrier.passed], f"barrier    {proof.barrier.lsn} {took}")
    for table in proof.comparisons:
        yield Text.assemble(SIGN[table.equal], f"rows       {_rows(table)}")
    for sentinel in proof.sentinels:
        if sentinel.heard is not None:
            yield Text.assemble(SIGN[sentinel.heard], f"sentinel   {_heard(sentinel)}")
    yield from finding_lines(proof.findings)


def comparison_lines(replication: Replication, tables: Sequence[TableComparison]) -> Iterator[Text]:
    """A line for each table, and one for each differing key; then what would mend it."""
    yield from _tables(replication, tables)
    if not all(in_order(replication, table) for table in tables):
        yield next_line("replicate compare", "--repair", *replication.options)


def _tables(replication: Replication, tables: Sequence[TableComparison]) -> Iterator[Text]:
    yield Text(visible(str(replication)), "bold")
    for table in tables:
        yield Text.assemble(SIGN[table.equal], _rows(table))
        for difference in table.shown:
            key = ", ".join(
                f"{name} = {value}" for name, value in zip(table.key, difference.key, strict=True)
            )
            yield Text(f"     {difference.kind:9} {visible(key)}", "yellow")
        more = table.missing + table.extra + table.different - len(table.shown)
        if more > 0:
            yield Text(f"     … and {more} more", "dim")


def _rows(table: TableComparison) -> str:
    name = visible(str(table.table))
    if table.equal and not table.repaired:
        how = "equal" if table.key else "equal in number and hash (there is no key)"
        return f"{name}: {counted(table.source_rows, 'row')}, {how}"
    if not table.key:
        return f"{name}: {table.source_rows} rows on the source, {table.target_rows} on the target, not equal"
    parts = [
        f"{number} {word}"
        for number, word in (
            (table.missing, "missing"),
            (table.extra, "too many"),
            (table.different, "different"),
            (table.unsettled, "changing all the time"),
            (table.repaired, "repaired"),
        )
        if number
    ]
    return f"{name}: {counted(table.source_rows, 'row')} on the source; {', '.join(parts)}"


def _heard(sentinel: Sentinel) -> str:
    where, name = ", ".join(map(visible, sentinel.channels)), visible(str(sentinel.table))
    if sentinel.heard and sentinel.seconds is not None:
        return f"{name}: heard on {where} after {sentinel.seconds * 1000:.0f} ms"
    return f"{name}: not heard on {where}"


def _proof_value(proof: Proof) -> dict[str, Any]:
    barrier = proof.barrier
    return {
        "name": proof.replication.name,
        "source": str(proof.replication.source),
        "target": str(proof.replication.target),
        "proven": proof.proven,
        "barrier": None
        if barrier is None
        else {"lsn": barrier.lsn, "passed": barrier.passed, "seconds": barrier.seconds},
        "tables": list(map(_table_value, proof.comparisons)),
        "sentinels": [
            {
                "table": sentinel.table.qualified,
                "heard": sentinel.heard,
                "seconds": sentinel.seconds,
                "channels": list(sentinel.channels),
                "reason": sentinel.reason,
            }
            for sentinel in proof.sentinels
        ],
        "findings": [finding_value(finding) for finding in proof.findings],
        "seconds": proof.seconds,
    }


def _table_value(table: TableComparison) -> dict[str, Any]:
    return {
        "table": table.table.qualified,
        "key": list(table.key),
        "equal": table.equal,
        "source_rows": table.source_rows,
        "target_rows": table.target_rows,
        "missing": table.missing,
        "extra": table.extra,
        "different": table.different,
        "unsettled": table.unsettled,
        "repaired": table.repaired,
        "differences": [{"kind": d.kind, "key": list(d.key)} for d in table.shown],
    }
