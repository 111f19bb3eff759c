"""The whole network in torch: the same vectors, a loss that falls, and going on from where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from synthetic import photo

from lookalike.errors import UsageError
from lookalike.features import models
from lookalike.features.embedding import unit
from lookalike.images.limits import Limits

torch = pytest.importorskip("torch", reason="training needs the extra train")

from lookalike.lab.training.network import Network  # noqa: E402
from lookalike.lab.training.squares import TRIED, squares_of, with_copies  # noqa: E402
from lookalike.lab.training.views import MILD, WIDE, views  # noqa: E402
from lookalike.lab.training.whole import Tuning  # noqa: E402
from lookalike.lab.training.whole_records import Stop, WholeSettings  # noqa: E402

LITE0 = models.spec("efficientnet-lite0")
SIZE = 32
SETTINGS = WholeSettings(epochs=2, batch=8, rate=3e-4)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """On a busy machine two threads that wait for each other take a hundred times as long for so little work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def squares(count: int, side: int, seed: int = 0) -> np.ndarray:
    return np.stack([photo(seed + number, side, side) for number in range(count)])


def tuning(labels: np.ndarray | None = None, settings: WholeSettings = SETTINGS, **more: object) -> Tuning:
    return Tuning(LITE0, squares(16, 40), labels, SIZE, settings, **more)  # type: ignore[arg-type]


def stop() -> Stop:
    return Stop(squares(8, SIZE, seed=100), np.arange(8) // 2)


def through_onnx(content: bytes, pixels: np.ndarray) -> np.ndarray:
    session = models.open_session(Path("made.onnx"), content)
    return np.asarray(session.run(None, {"pixels": pixels})[0])


@pytest.mark.parametrize("shape", [(2, 64, 64), (1, 96, 128), (3, 224, 224)])
def test_it_gives_what_onnx_runtime_gives(shape: tuple[int, int, int]) -> None:
    pixels = np.stack([photo(seed, shape[2], shape[1]) for seed in range(shape[0])])
    with torch.no_grad():
        given = Network(LITE0)(torch.as_tensor(pixels)).numpy()
    expected = through_onnx(LITE0.path.read_bytes(), pixels)
    np.testing.assert_allclose(given, expected, atol=1e-4)
    np.testing.assert_allclose(unit(given), unit(expected), atol=1e-5)


def test_unchanged_weights_go_back_into_the_same_graph() -> None:
    content = Network(LITE0).to_onnx()
    assert onnx.load_from_string(content) == onnx.load(LITE0.path)


def test_changed_weights_are_the_ones_that_are_written() -> None:
    network = Network(LITE0)
    with torch.no_grad():
        for tensor in network.weights.values():
            tensor.mul_(1.01)
    pixels = squares(2, 64)
    with torch.no_grad():
        given = network(torch.as_tensor(pixels)).numpy()
    np.testing.assert_allclose(through_onnx(network.to_onnx(), pixels), given, atol=1e-3, rtol=1e-4)
    assert np.abs(through_onnx(LITE0.path.read_bytes(), pixels) - given).max() > 0.01


def test_a_network_of_8_bits_is_refused() -> None:
    with pytest.raises(UsageError, match=r"QLinearConv.*train efficientnet-lite0"):
        Network(models.spec("efficientnet-lite0-int8"))


def test_every_weight_of_every_layer_learns() -> None:
    made = tuning()
    before = {name: tensor.detach().clone() for name, tensor in made.network.weights.items()}
    made.learn()
    assert all(not torch.equal(tensor, before[name]) for name, tensor in made.network.weights.items())


@pytest.mark.parametrize("labels", [None, np.arange(16) // 4], ids=["edited views", "labels"])
def test_the_loss_falls(labels: np.ndarray | None) -> None:
    made = tuning(labels, replace(SETTINGS, batch=32, epochs=30))
    found = [made.learn() for _ in range(24)]
    assert np.mean(found[-6:]) < 0.85 * np.mean(found[:6])


def test_going_on_from_a_checkpoint_gives_what_going_through_gives(tmp_path: Path) -> None:
    through = tuning().run(stop())
    file = tmp_path / "state.checkpoint"
    broken_off = tuning(checkpoint=file, belongs_to="these pictures")

    class Interrupted(Exception):
        pass

    def interrupt(step: int, _: int) -> None:
        if step == broken_off.an_epoch + 1:  # one step into the second epoch
            raise Interrupted

    with pytest.raises(Interrupted):
        broken_off.run(stop(), interrupt)
    assert file.exists()
    resumed = tuning(checkpoint=file, belongs_to="these pictures")
    done = resumed.run(stop())
    assert resumed.step == resumed.steps
    assert [epoch for epoch, _ in done.seen] == [epoch for epoch, _ in through.seen]
    np.testing.assert_allclose([score for _, score in done.seen], [score for _, score in through.seen], atol=1e-6)
    pixels = squares(2, SIZE)
    np.testing.assert_allclose(through_onnx(done.content, pixels), through_onnx(through.content, pixels), atol=1e-5)


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "state.checkpoint"
    one = tuning(settings=replace(SETTINGS, epochs=1), checkpoint=file, belongs_to="these pictures")
    one.run(stop())
    with pytest.raises(UsageError, match="other pictures or settings"):
        tuning(checkpoint=file, belongs_to="others").run(stop())
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(UsageError, match="is no checkpoint"):
        tuning(checkpoint=file, belongs_to="these pictures").run(stop())


def test_a_checkpoint_cannot_run_code(tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "harm",))

    file = tmp_path / "state.checkpoint"
    torch.save({"belongs_to": "these pictures", "state": Harm()}, file)
    with pytest.raises(UsageError, match="is no checkpoint"):
        tuning(checkpoint=file, belongs_to="these pictures").run(stop())
    assert not (tmp_path / "harm").exists()


def test_where_nothing_gets_better_the_network_is_as_it_was() -> None:
    """A stop set that is perfect from the start cannot be improved on."""
    twins = np.repeat(squares(4, SIZE), 2, axis=0)
    done = tuning(settings=replace(SETTINGS, epochs=1)).run(Stop(twins, np.arange(8) // 2))
    assert done.epoch == 0
    assert onnx.load_from_string(done.content) == onnx.load(LITE0.path)


def test_views_are_edits_of_their_picture_and_come_again() -> None:
    given = torch.as_tensor(squares(6, 48))
    for within in (MILD, WIDE):
        first, again = views(given, 32, (0, 1), within), views(given, 32, (0, 1), within)
        other = views(given, 32, (0, 2), within)
        assert first.shape == (6, 32, 32, 3)
        assert float(first.min()) >= 0
        assert float(first.max()) <= 255
        assert torch.equal(first, again)
        assert not torch.equal(first, other)


def test_a_view_that_goes_nowhere_is_the_picture() -> None:
    still = replace(MILD, area=(1.0, 1.0), turn=0, aspect=1.0, tone=0, blur=0, cover=0)
    given = torch.as_tensor(squares(8, 32))
    seen = views(given, 32, (3,), still)
    for number in range(8):  # flips are the one thing left
        straight = (seen[number] - given[number]).abs().max()
        mirrored = (seen[number] - given[number].flip(1)).abs().max()
        assert float(min(straight, mirrored)) < 0.01


def test_many_squares_lie_in_a_file_that_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []
    for number in range(3):
        path = tmp_path / f"{number}.png"
        from PIL import Image

        Image.fromarray(photo(number, 50, 40)).save(path)
        paths.append(str(path))
    with squares_of(paths, 32, Limits()) as inside:
        expected = np.array(inside)
    monkeypatch.setattr("lookalike.lab.training.squares.IN_MEMORY", 100)
    with squares_of(paths, 32, Limits(), folder=tmp_path) as mapped:
        assert isinstance(mapped, np.memmap)
        np.testing.assert_array_equal(mapped, expected)
        del mapped
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.png", "1.png", "2.png"]
    copies, shown = with_copies(paths, 32, Limits(), 0, 2)
    assert copies.shape == (2 * (1 + len(TRIED)), 32, 32, 3)
    assert shown.tolist() == [0] * 9 + [1] * 9
