"""A cluster gives what one machine gives, whatever happens to its nodes; what was done once is not done again.

The cluster is a real one: a head without cores, and nodes of one core, each with processes of its own.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from synthetic import photo

from lookalike.catalogue import places
from lookalike.catalogue.entries import Entry
from lookalike.catalogue.filling import Filled, fill
from lookalike.catalogue.parts import Extracted, Parts, load_into, pieces, salt
from lookalike.catalogue.ray import fill_on_cluster
from lookalike.catalogue.recipe import PREVIEW, Described, Job, Recipe, describe
from lookalike.catalogue.tables import of_table
from lookalike.catalogue.worker import Worker, read_anywhere
from lookalike.collection.crew import Crew
from lookalike.collection.store import Store
from lookalike.errors import (
    BlockedURL,
    IndexMismatch,
    LimitExceeded,
    LookalikeError,
    MissingExtra,
    OutputError,
    PictureError,
    SourceNotFound,
    SourceUnreadable,
    UsageError,
)
from lookalike.images.limits import Limits
from lookalike.images.scan import Found

if sys.platform == "win32":
    pytest.skip("Ray has no clusters of several nodes on Windows", allow_module_level=True)
ray = pytest.importorskip("ray")
fsspec = pytest.importorskip("fsspec")
parquet = pytest.importorskip("pyarrow.parquet")

NOBODY = "ray://127.0.0.1:1"
"""An address at which no cluster is: whoever asks it fails."""

HASH, LIMITS = Recipe("phash"), Limits()


class Nodes:
    """The cluster, and where it is."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        head = {"num_cpus": 0, "include_dashboard": False, "ray_client_server_port": port}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.workers = [self.cluster.add_node(num_cpus=1) for _ in range(2)]
        self.cluster.wait_for_nodes()
        self.address = str(self.cluster.address)
        self.client = f"ray://127.0.0.1:{port}"
        self.session = self.cluster.head_node.get_session_dir_path()

    def kill_one(self) -> None:
        self.cluster.remove_node(self.workers.pop(), allow_graceful=False)

    def processes(self) -> list[str]:
        """Command lines of everything that belongs to the cluster."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                found.append(entry.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        return [line for line in found if self.session in line or self.address in line]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    tests, path = Path(__file__).parent, os.environ.get("PYTHONPATH")
    known = [str(tests), str(tests.parent), *([path] if path else [])]  # a class of this file goes to the nodes
    os.environ["PYTHONPATH"] = os.pathsep.join(known)
    started = Nodes()
    if os.path.isdir("/proc/self"):
        assert started.processes()
    try:
        yield started
    finally:
        ray.shutdown()
        started.cluster.shutdown()
        os.environ.pop("PYTHONPATH")
        if path:
            os.environ["PYTHONPATH"] = path
    end = time.monotonic() + 20
    while started.processes() and time.monotonic() < end:
        time.sleep(0.2)
    assert not started.processes()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    """300 entries: 293 pictures, and seven that are none."""
    folder = tmp_path_factory.mktemp("shop")
    base = photo(7, 900, 700)
    entries = []
    for number in range(300):
        x, y = 2 * number, 3 * (number % 100)
        path = folder / f"{number:03}.{'png' if number % 3 else 'jpg'}"
        Image.fromarray(np.ascontiguousarray(base[y : y + 90, x : x + 120])).save(path)
        tags = ("odd", "all") if number % 2 else ("all",)
        entries.append(Entry(str(path), f"sku-{number}", tags, {"price": number / 4, "name": f"Kleid „{number}“"}))
    for number in (3, 122):
        Path(entries[number].source).write_bytes(Path(entries[number].source).read_bytes()[:300])
    Path(entries[57].source).write_text("this is no picture")
    Path(entries[58].source).unlink()
    entries[200] = replace(entries[200], source="")
    entries[201] = replace(entries[201], id="sku-0")
    entries[250] = replace(entries[250], source=str(folder))
    entries[260] = replace(entries[260], id=None)
    about = os.stat(entries[261].source)
    entries[261] = replace(entries[261], found=Found(entries[261].source, about.st_size, about.st_mtime_ns))
    return entries


class Catalogue:
    """An index in a folder, and its store."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        self.recipe, self.store = recipe, Store(":memory:")
        self.index = places.created(folder / "index", recipe.space, kind="auto", components=0, about={})

    def filled(self, entries: Sequence[Entry], limits: Limits) -> Filled:
        with Crew(2) as crew:
            return fill(self.index, self.recipe, self.store, entries, limits=limits, crew=crew)

    def loaded(self, extracted: Extracted) -> Filled:
        return load_into(self.index, self.store, extracted)

    def items(self) -> list[tuple[Any, ...]]:
        return [
            (item.id, item.vector.dtype.str, item.vector.tobytes(), item.source, item.tags, dict(item.data))
            for item in self.index.items()
        ]

    def kept(self) -> dict[str, Any]:
        """Everything the store holds of the pictures."""
        digests = [item.data["$picture"]["sha256"] for item in self.index.items()]
        entry = next(iter(self.index.items()))
        content = Path(entry.source.removeprefix("file://")).read_bytes()
        (one,) = describe(Job(["x.png"], [content], self.recipe.method, self.recipe.options, Limits(), [False]))
        assert isinstance(one, Described)
        known = {key: self.store.features(key, digests) for key in one.features}
        assert all(len(features) == len(set(digests)) for features in known.values())
        return {**known, "pictures": self.store.pictures(digests)}


def failures(done: Filled) -> list[tuple[str, str, str]]:
    return sorted((each.source, each.kind, each.reason) for each in done.failures)


def same_as_one_machine(
    extracted: Extracted, entries: Sequence[Entry], recipe: Recipe, tmp_path: Path, limits: Limits = LIMITS
) -> Filled:
    there, here = Catalogue(tmp_path / "there", recipe), Catalogue(tmp_path / "here", recipe)
    with there.store, here.store, there.index, here.index:
        done, wanted = there.loaded(extracted), here.filled(entries, limits)
        assert there.items() == here.items()
        assert there.kept() == here.kept()
        assert failures(done) == failures(wanted)
        assert (done.added, done.updated, done.unchanged) == (wanted.added, wanted.updated, wanted.unchanged)
        assert extracted.pictures == len(entries)
        assert extracted.failed == len(done.failures)
    return done


def parts_in(out: Path) -> dict[str, int]:
    """Every finished file, and when it was made."""
    return {file.name: file.stat().st_mtime_ns for file in sorted(out.glob("part-*.parquet"))}


def test_a_node_that_is_killed_costs_nothing(
    nodes: Nodes, shop: list[Entry], tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    out, recipe = tmp_path / "parts", Recipe()
    seen: list[int] = []

    def kill() -> None:
        while len(parts_in(out)) < 3:
            time.sleep(0.005)
        seen.append(len(parts_in(out)))
        nodes.kill_one()

    killer = threading.Thread(target=kill)
    killer.start()
    with caplog.at_level(logging.INFO, "lookalike.catalogue.ray"):
        extracted = fill_on_cluster(shop, recipe, out, address=nodes.address, limits=LIMITS, partition=10)
    killer.join()
    assert not ray.is_initialized()
    assert 3 <= seen[0] < 25, "it was to be killed in mid-run"
    assert "an actor is lost" in caplog.text, "the node was to have work when it was killed"
    assert capfd.readouterr().out == ""
    assert list(parts_in(out)) == [f"part-{number:06d}.parquet" for number in range(30)] == list(extracted.names)
    assert sorted(path.name for path in out.iterdir()) == list(extracted.names)
    assert (extracted.computed, extracted.failed) == (300, 7)
    done = same_as_one_machine(extracted, shop, recipe, tmp_path)
    assert done.added == 293
    kinds = {failure.source: failure.kind for failure in done.failures}
    assert kinds[shop[58].source] == "SourceNotFound"
    assert kinds[shop[201].source] == "DuplicateId"
    assert kinds[shop[3].source] == "DecodeFailed"

    table = parquet.read_table(out / "part-000004.parquet")
    contents = [Path(entry.source).read_bytes() for entry in shop[40:50]]
    here = describe(Job([""] * 10, contents, recipe.method, recipe.options, Limits(), [False] * 10))
    for row, wanted in zip(table.to_pylist(), here, strict=True):
        assert isinstance(wanted, Described)
        assert np.array_equal(np.array(row["vector"], np.float32), wanted.vector)
        assert dict(row["features"]) == wanted.features
        assert (row["sha256"], row["width"], row["height"]) == (wanted.digest, 120, 90)


def test_what_is_done_is_not_done_again(nodes: Nodes, shop: list[Entry], tmp_path: Path) -> None:
    out, told = tmp_path / "parts", []

    def run(entries: Sequence[Entry], address: str = nodes.address, **asked: Any) -> Extracted:
        asked = {"recipe": HASH, "partition": 25, "limits": Limits(), **asked}
        return fill_on_cluster(entries, asked.pop("recipe"), out, address=address, **asked)

    def anew(before: dict[str, int]) -> list[int]:
        return [int(name[5:11]) for name, made in parts_in(out).items() if before.get(name) != made]

    first = run(shop, progress=lambda what, done, total: told.append((what, done, total)), total=300)
    assert first.computed == 300
    assert told[-1] == ("describing", 300, 300)
    assert [done for _, done, _ in told] == list(range(25, 301, 25))
    same_as_one_machine(first, shop, HASH, tmp_path)

    before = parts_in(out)
    again = run(shop, NOBODY)  # no cluster is asked at all
    assert again == replace(first, computed=0)
    assert anew(before) == []

    (out / "part-000005.parquet").unlink()
    half = (out / "part-000008.parquet").read_bytes()
    (out / "part-000008.parquet").write_bytes(half[: len(half) // 2])
    assert run(shop) == replace(first, computed=50)
    assert anew(before) == [5, 8]
    assert (out / "part-000008.parquet").read_bytes() == half

    before = parts_in(out)
    changed = [*shop[:30], replace(shop[30], tags=("new",)), *shop[31:], Entry(shop[0].source, "one more")]
    assert run(changed).computed == 26
    assert anew(before) == [1, 12]

    before = parts_in(out)
    assert run(changed, retry=True).computed == 5 * 25
    assert anew(before) == [0, 2, 4, 8, 10]

    before = parts_in(out)
    other = run(shop, recipe=Recipe("dhash"))
    assert other.computed == 300
    assert anew(before) == list(range(12))
    with pytest.raises(LookalikeError, match="cannot be reached"):
        run(shop, NOBODY, limits=Limits(max_side=100))
    mixed = Catalogue(tmp_path / "mixed", HASH)
    with mixed.index, mixed.store, pytest.raises(IndexMismatch):
        mixed.loaded(other)


def test_a_run_that_is_killed_goes_on_where_it_was(nodes: Nodes, shop: list[Entry], tmp_path: Path) -> None:
    table, out = tmp_path / "list.jsonl", tmp_path / "parts"
    rows = [{"source": entry.source, "id": entry.id, "tags": list(entry.tags), **entry.data} for entry in shop]
    table.write_text("".join(json.dumps(row) + "\n" for row in rows))
    script = """if True:
        import sys
        from lookalike.catalogue.tables import of_table
        from lookalike.catalogue.ray import fill_on_cluster
        from lookalike.catalogue.recipe import Recipe
        from lookalike.images.limits import Limits
        address, table, out = sys.argv[1:]
        fill_on_cluster(of_table(table), Recipe(), out, address=address, limits=Limits(), partition=5)
    """
    run = subprocess.Popen([sys.executable, "-c", script, nodes.address, str(table), str(out)])
    while len(parts_in(out)) < 4:
        assert run.poll() is None
        time.sleep(0.005)
    run.kill()
    run.wait()
    before = parts_in(out)
    assert 4 <= len(before) < 50, "it was to be killed in mid-run"
    entries = list(of_table(table))
    extracted = fill_on_cluster(entries, Recipe(), out, address=nodes.address, limits=LIMITS, partition=5)
    assert extracted.computed == 300 - 5 * len(before)
    after = parts_in(out)
    assert {name: after[name] for name in before} == before
    same_as_one_machine(extracted, entries, Recipe(), tmp_path)


def test_loading_again_changes_nothing_and_a_change_is_an_update(
    nodes: Nodes, shop: list[Entry], tmp_path: Path
) -> None:
    def run(entries: Sequence[Entry]) -> Extracted:
        return fill_on_cluster(
            entries, HASH, tmp_path / "parts", address=nodes.address, limits=LIMITS, partition=10, actors=1
        )

    held = Catalogue(tmp_path, HASH)
    with held.store, held.index:
        first = run(shop[:20])
        assert (held.loaded(first).added, len(held.index)) == (19, 19)
        items = held.items()
        again = held.loaded(first)
        assert (again.added, again.updated, again.unchanged, len(again.failures)) == (0, 0, 19, 1)
        assert held.items() == items
        third = held.loaded(run([replace(shop[0], tags=("other",)), *shop[1:20]]))
        assert (third.added, third.updated, third.unchanged) == (0, 1, 18)
        (item,) = held.index.get(["sku-0"])
        assert item is not None
        assert item.tags == ("other",)
        (tmp_path / "parts/part-000001.parquet").write_bytes(b"PAR1")
        with pytest.raises(OutputError, match="run the same again"):
            held.loaded(first)


def test_addresses_of_stores_are_read_on_the_nodes(nodes: Nodes, shop: list[Entry], tmp_path: Path) -> None:
    """And the files may lie in one."""
    addressed = [replace(entry, source=f"file://{entry.source}") for entry in shop[:20]]
    addressed.append(Entry(f"file://{tmp_path}/missing.jpg", "gone"))
    extracted = fill_on_cluster(
        addressed, HASH, "memory://test-ray/parts", address=nodes.client, limits=LIMITS, partition=8, actors=1
    )
    assert fsspec.filesystem("memory").ls("/test-ray/parts", detail=False) == [
        f"/test-ray/parts/part-{number:06d}.parquet" for number in range(3)
    ]
    there, here = Catalogue(tmp_path / "there", HASH), Catalogue(tmp_path / "here", HASH)
    with there.store, here.store, there.index, here.index:
        done = there.loaded(extracted)
        here.filled(shop[:20], Limits())
        plain = {item.id: item for item in here.index.items()}
        for item in there.index.items():
            assert np.array_equal(item.vector, plain[item.id].vector)
            about, wanted = item.data["$picture"], plain[item.id].data["$picture"]
            assert about == {key: wanted[key] for key in ("sha256", "format", "width", "height")}
            assert there.store.features(PREVIEW, [about["sha256"]])  # a search asks no store
        assert len(there.index) == 19
        kinds = {failure.source: failure.kind for failure in done.failures}
        assert kinds == {addressed[3].source: "DecodeFailed", addressed[20].source: "SourceNotFound"}
    again = fill_on_cluster(
        addressed, HASH, "memory://test-ray/parts", address=NOBODY, limits=LIMITS, partition=8, actors=1
    )
    assert again.computed == 0


class Deadly(Limits):
    """Limits whose check ends the process that decodes, as a decoder that crashes would."""

    def check_size(self, width: int, height: int, source: str) -> None:
        if source.endswith("deadly.png"):
            os._exit(9)


def test_a_picture_that_ends_processes_is_a_failure_and_no_other_is(
    nodes: Nodes, shop: list[Entry], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Image.fromarray(photo(1, 60, 50)).save(tmp_path / "deadly.png")
    entries = [*shop[100:140], Entry(str(tmp_path / "deadly.png"), "deadly"), *shop[140:210]]  # enough for processes
    with caplog.at_level(logging.INFO, "lookalike.catalogue.ray"):
        extracted = fill_on_cluster(
            entries, HASH, tmp_path / "parts", address=nodes.address, limits=Deadly(), partition=37
        )
    assert caplog.text.count("an actor is lost") == 1
    done = same_as_one_machine(extracted, entries, HASH, tmp_path, Deadly())
    (reason,) = [failure.reason for failure in done.failures if failure.source.endswith("deadly.png")]
    assert "decoding it ended the process" in reason


def test_a_ray_of_this_machine(shop: list[Entry], tmp_path: Path) -> None:
    """Last of those that need one: it starts its own, and ends it."""
    extracted = fill_on_cluster(shop[:12], HASH, tmp_path / "parts", address="local", limits=LIMITS, partition=5)
    assert not ray.is_initialized()
    assert (extracted.pictures, extracted.failed, len(extracted.names)) == (12, 1, 3)


# Without a cluster


def test_nobody_there_is_said_at_once(shop: list[Entry], tmp_path: Path) -> None:
    began = time.monotonic()
    for address in (NOBODY, "127.0.0.1:1"):
        with pytest.raises(
            LookalikeError, match="cannot be reached: Connection refused; give ray://HEAD:10001"
        ) as told:
            fill_on_cluster(shop[:3], HASH, tmp_path / "parts", address=address, limits=LIMITS)
        assert "\n" not in str(told.value)
    assert time.monotonic() - began < 10
    assert parts_in(tmp_path / "parts") == {}


def test_without_ray_it_is_said_what_to_install(
    shop: list[Entry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"lookalike\[ray\]"):
        fill_on_cluster(shop[:3], HASH, tmp_path / "parts", address="local", limits=LIMITS)


def test_sources_in_stores_are_read_within_the_limits(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/test-ray/a[1]*.jpg", b"x" * 100)
    assert read_anywhere("memory://test-ray/a[1]*.jpg", Limits(max_bytes=100)) == b"x" * 100  # no pattern
    (tmp_path / "a b.jpg").write_bytes(b"y" * 100)
    assert read_anywhere(f"file://{tmp_path}/a b.jpg", Limits()) == b"y" * 100
    assert read_anywhere(str(tmp_path / "a b.jpg"), Limits()) == b"y" * 100
    wrong: list[tuple[str, type[PictureError]]] = [
        ("memory://test-ray/none.jpg", SourceNotFound),
        (f"file://{tmp_path}", SourceUnreadable),
        ("memory://test-ray/a.jpg::http://127.0.0.1/", SourceUnreadable),
        ("http://127.0.0.1/a.jpg", BlockedURL),
        ("webhdfs://127.0.0.1/a.jpg", BlockedURL),
        ("zip://a.jpg::http://127.0.0.1/a.zip", BlockedURL),
    ]
    for source, kind in wrong:
        with pytest.raises(kind) as told:
            read_anywhere(source, Limits())
        assert told.value.source == source
    for source in ("memory://test-ray/a[1]*.jpg", f"file://{tmp_path}/a b.jpg"):
        with pytest.raises(LimitExceeded):
            read_anywhere(source, Limits(max_bytes=99))


def test_a_store_that_nothing_here_reads_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure of a million pictures, kept in files, would be no help."""
    monkeypatch.setitem(sys.modules, "ocifs", None)
    with pytest.raises(MissingExtra, match="oci://"):
        read_anywhere("oci://bucket/a.jpg", Limits())
    (piece,) = pieces([Entry("oci://bucket/a.jpg")], 5, salt(HASH, Limits()))
    with pytest.raises(MissingExtra):
        Worker(HASH.method, HASH.options, Limits()).partition(piece.rows, piece.fingerprint)


def test_entries_that_no_index_takes_are_refused_before_the_work(shop: list[Entry], tmp_path: Path) -> None:
    for wrong in (replace(shop[0], id="x" * 600), replace(shop[0], data={"a": float("nan")})):
        with pytest.raises(UsageError):
            fill_on_cluster([*shop[1:3], wrong], HASH, tmp_path / "parts", address=NOBODY, limits=LIMITS)
    with pytest.raises(UsageError):
        fill_on_cluster(shop, HASH, tmp_path / "parts", address=NOBODY, limits=LIMITS, partition=0)


def test_a_folder_that_cannot_be_written(shop: list[Entry], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        fill_on_cluster(shop[:3], HASH, tmp_path / "file", address=NOBODY, limits=LIMITS)
    with pytest.raises(OutputError, match="gone or damaged"):
        Parts(tmp_path / "empty").table("part-000000.parquet")


def test_a_partition_says_what_it_is_of(shop: list[Entry]) -> None:
    """Whatever changes what is in a file changes its fingerprint, and nothing else does."""

    def prints(entries: Sequence[Entry], recipe: Recipe = HASH, limits: Limits = LIMITS) -> list[str]:
        return [piece.fingerprint for piece in pieces(entries, 2, salt(recipe, limits))]

    entries = shop[:4]
    base = prints(entries)
    assert prints(iter(entries)) == base
    assert len(set(base)) == 2
    file = Found(entries[2].source, 5, 6)
    for change in ({"source": "x"}, {"id": "x"}, {"tags": ("x",)}, {"data": {"x": 1}}, {"found": file}):
        other = prints([*entries[:2], replace(entries[2], **change), entries[3]])
        assert (other[0], other[1] == base[1]) == (base[0], False), change
    assert not set(base) & {*prints(entries, Recipe("dhash")), *prints(entries, limits=Limits(max_pixels=9))}
    assert json.loads(salt(HASH, Limits()))[0] == 1
