"""Which picture is proposed to stay, and what is said about it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from groupings import grouping, pair, record
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from synthetic import photo

from lookalike import group
from lookalike.results import keep as keep_module
from lookalike.results.keep import Proposal, propose
from lookalike.results.quality import Quality, jpeg_quality, measure, spectrum
from lookalike.types import Comparison, Group, Grouping, Member, PictureFile, Transform

Make = Callable[..., PictureFile]
SIZE = Image.Resampling


def natural(seed: int, width: int, height: int) -> Image.Image:
    """Shapes of all sizes with as much energy in every octave, as natural pictures have, seen through a lens that lets
    half of the finest contrast pass.
    """
    random = np.random.default_rng(seed)
    cycles = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    cycles[0, 0] = np.inf
    waves = random.normal(size=(3, *cycles.shape)) + 1j * random.normal(size=(3, *cycles.shape))
    waves = waves[:1] + waves / 4  # mostly brightness, a little colour
    shapes = np.fft.irfft2(waves / cycles * np.exp(-2.77 * np.minimum(cycles, 1) ** 2), s=(height, width)).transpose(
        1, 2, 0
    )
    return Image.fromarray((128 + 50 * shapes / shapes.std()).clip(0, 255).astype(np.uint8))


GRAINY = natural(1, 480, 360)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(name: str, image: Image.Image = GRAINY, *, day: int = 100, **options: object) -> PictureFile:
        path = tmp_path / name
        image.save(path, **options)
        os.utime(path, ns=(day * 86_400 * 10**9,) * 2)
        return record(path)

    return made


def decided(*pictures: PictureFile) -> Proposal:
    """All alike, in one group."""
    pairs = [pair(a.path, b.path, 0.95) for at, a in enumerate(pictures) for b in pictures[at + 1 :]]
    group = Group(pictures[0].path, tuple(Member(other.path, 0.95) for other in pictures[1:]))
    found = propose(grouping(pictures, pairs, [group]))
    assert found.failures == ()
    (proposal,) = found.proposals
    return proposal


def name(picture: PictureFile) -> str:
    return Path(picture.path).name


def test_the_one_with_most_pixels_stays(make: Make) -> None:
    small = make("a.png", GRAINY.resize((240, 180), SIZE.LANCZOS), day=1)
    proposal = decided(small, make("b.jpg", GRAINY, quality=80))
    assert name(proposal.keep) == "b.jpg"
    assert proposal.reason == "more pixels (480×360 instead of 240×180)"
    assert [(name(other.picture), other.score) for other in proposal.others] == [("a.png", 0.95)]


@pytest.mark.parametrize("filter_", [SIZE.BILINEAR, SIZE.BICUBIC, SIZE.LANCZOS])
@pytest.mark.parametrize("factor", [2, 3])
def test_an_enlarged_copy_does_not_win_over_a_sharp_original(factor: int, filter_: SIZE, make: Make) -> None:
    original = make("original.jpg", GRAINY, quality=90, day=200)
    large = make("large.jpg", GRAINY.resize((480 * factor, 360 * factor), filter_), quality=90)
    proposal = decided(large, original)
    assert name(proposal.keep) == "original.jpg"
    assert proposal.reason == f"not enlarged (480×360 instead of {480 * factor}×{360 * factor}, which shows no more)"


def test_enlarged_copies_of_a_small_copy_lose_to_the_original_between_them(make: Make) -> None:
    small = GRAINY.resize((160, 120), SIZE.LANCZOS)
    pictures = [
        make("thumb.png", small),
        make("original.jpg", GRAINY, quality=70),
        make("huge.png", small.resize((960, 720), SIZE.BICUBIC)),
    ]
    for order in (pictures, pictures[::-1], [pictures[1], pictures[0], pictures[2]]):
        assert name(decided(*order).keep) == "original.jpg"


def test_a_thumbnail_does_not_win_over_a_soft_original(make: Make) -> None:
    soft = Image.fromarray(photo(3, 480, 360)).filter(ImageFilter.GaussianBlur(1))
    assert name(decided(make("soft.jpg", soft, quality=90), make("t.png", soft.resize((48, 36), SIZE.BOX))).keep) == (
        "soft.jpg"
    )


@pytest.mark.parametrize("radius", [0.7, 1, 4])
def test_the_sharper_of_one_size_stays(radius: float, make: Make) -> None:
    blurred = make("a.png", GRAINY.filter(ImageFilter.GaussianBlur(radius)), day=1)
    proposal = decided(blurred, make("b.jpg", GRAINY, quality=90))
    assert (name(proposal.keep), proposal.reason) == ("b.jpg", "sharper")


@pytest.mark.parametrize("quality", [50, 30, 10])
def test_what_compression_adds_is_not_taken_for_sharpness(quality: int, make: Make) -> None:
    for image in (GRAINY, natural(5, 300, 400), Image.fromarray(photo(5, 480, 360))):
        worse = make("a.jpg", image, quality=quality, day=1)
        proposal = decided(worse, make("b.jpg", image, quality=92))
        assert name(proposal.keep) == "b.jpg"


def test_lossless_then_jpeg_quality_then_age_then_name(make: Make) -> None:
    jpeg = make("a.jpg", quality=95, day=1)
    assert decided(jpeg, make("b.png")).reason == "lossless (PNG instead of JPEG)"
    assert decided(jpeg, make("b.jpg", quality=75, day=0)).reason == "higher JPEG quality (about 95 instead of 75)"
    older = make("old.jpg", quality=93, day=-3)  # 93 is as good as 95
    assert (decided(jpeg, older).keep, decided(jpeg, older).reason) == (
        older,
        "older (1969-12-29 instead of 1970-01-02)",
    )
    hour = replace(older, mtime_ns=older.mtime_ns + 3600 * 10**9, path=jpeg.path)
    assert decided(hour, older).reason == "older (1969-12-29 00:00:00 instead of 1969-12-29 01:00:00)"
    twin = make("twin.jpg", quality=95, day=1)
    assert (decided(twin, jpeg).keep, decided(twin, jpeg).reason) == (
        jpeg,
        "first in the order of names, else the same",
    )


def test_a_row_of_pixels_or_a_second_is_no_reason(make: Make) -> None:
    first, second = make("a.png"), make("b.png", GRAINY.resize((481, 360)))
    second = replace(second, mtime_ns=first.mtime_ns - 10**9)
    assert decided(second, first).reason == "first in the order of names, else the same"


def test_webp_is_lossless_or_not(make: Make) -> None:
    assert measure(make("a.webp", lossless=True)).lossless
    assert not measure(make("b.webp", quality=90)).lossless
    assert not measure(make("c.gif")).lossless


def test_several_reasons_and_one_for_each_that_goes(make: Make) -> None:
    best = make("best.jpg", quality=95)
    proposal = decided(
        make("bad.jpg", quality=60), best, make("half.jpg", GRAINY.resize((240, 180), SIZE.LANCZOS), quality=95)
    )
    assert proposal.keep == best
    assert proposal.reason == ("higher JPEG quality (about 95 instead of 60), more pixels (480×360 instead of 240×180)")
    assert {name(other.picture): other.reason.split(" (")[0] for other in proposal.others} == {
        "bad.jpg": "higher JPEG quality",
        "half.jpg": "more pixels",
    }


@pytest.mark.parametrize("subsampling", [0, 2])
def test_jpeg_quality_is_told_to_one(subsampling: int) -> None:
    for quality in range(3, 101):
        file = io.BytesIO()
        GRAINY.resize((16, 16)).save(file, "JPEG", quality=quality, subsampling=subsampling)
        with Image.open(file) as image:
            told = jpeg_quality(image.quantization[0])  # type: ignore[attr-defined]
        assert told is not None
        assert abs(told - quality) <= 1, quality


@pytest.mark.parametrize("table", [[], [0] * 64, [1] * 63])
def test_what_is_no_quantisation_table_has_no_quality(table: list[int]) -> None:
    assert jpeg_quality(table) is None


def test_the_spectrum_of_a_wave_lies_in_its_band() -> None:
    x = np.arange(512)
    for cycles in (0.4, 0.2, 0.1, 0.05):
        wave = np.tile((127 + 100 * np.sin(2 * np.pi * cycles * x)).astype(np.uint8), (256, 1))
        bands = spectrum(wave)
        assert bands is not None
        assert int(np.argmax(bands)) == int(4 * np.log2(0.5 / cycles))
    assert spectrum(np.full((50, 50), 200, np.uint8)) is None
    assert spectrum(np.zeros((1, 1), np.uint8)) is None


def test_flat_pictures_are_decided_by_the_rest(make: Make) -> None:
    white = Image.new("RGB", (300, 200), "white")
    proposal = decided(make("a.png", white), make("b.png", white.resize((600, 400))))
    assert proposal.reason == "more pixels (600×400 instead of 300×200)"


def test_a_picture_that_cannot_be_read_any_more_is_a_failure_and_nothing_goes_for_it(make: Make) -> None:
    a, b = make("a.png"), make("b.png", GRAINY.resize((240, 180)))
    Path(a.path).unlink()
    found = propose(grouping((a, b), [pair(a.path, b.path, 0.95)]))
    assert found.proposals == ()
    assert [(failure.source, failure.kind) for failure in found.failures] == [(a.path, "SourceNotFound")]


def test_progress_is_told(make: Make) -> None:
    steps: list[tuple[int, int]] = []
    a, b = make("a.png"), make("b.png")
    propose(grouping((a, b), [pair(a.path, b.path, 1.0)]), progress=lambda done, of: steps.append((done, of)))
    assert steps == [(1, 2), (2, 2)]


# The whole and its crop, the picture and its framed copy.

LARGE = natural(7, 640, 480)


def laid(
    outer: PictureFile, inner: PictureFile, box: tuple[float, ...], mirrored: bool = False, *reasons: str
) -> Grouping:
    """``inner`` fills ``box`` (left, top, right, bottom) of ``outer``, in pixels of it; in the order of their paths."""
    left, top, right, bottom = box
    across, down = (right - left) / inner.width, (bottom - top) / inner.height
    x_axis = (-across, 0.0, right) if mirrored else (across, 0.0, left)
    matrix = (*x_axis, 0.0, down, top, 0.0, 0.0, 1.0)
    covered = (right - left) * (bottom - top) / (outer.width * outer.height)
    overlaps = (1.0, 1.0) if reasons else (covered, 1.0)  # margins aside, all agrees
    there = Transform(mirrored, 0, matrix, overlap=overlaps[0], overlap_other=overlaps[1])
    found = pair(outer.path, inner.path, 0.95, there, reasons)
    return grouping((outer, inner), [found if outer.path < inner.path else found.reversed()])


def stays(found: Grouping) -> tuple[str, str]:
    (proposal,) = propose(found).proposals
    return name(proposal.keep), proposal.reason


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("names", ["ab", "ba"])
def test_the_whole_picture_stays_rather_than_its_crop(names: str, mirrored: bool, make: Make) -> None:
    whole = make(f"{names[0]}.jpg", LARGE, quality=70)
    crop = make(f"{names[1]}.png", LARGE.crop((100, 60, 500, 360)).resize((800, 600), SIZE.BICUBIC), day=1)
    reason = "the whole picture (the other is cropped to about 39 %)"
    # over 1.5 times the resolution by its pixels, but enlarged
    assert stays(laid(whole, crop, (100, 60, 500, 360), mirrored)) == (name(whole), reason)
    small = make(f"{names[1]}2.png", LARGE.crop((100, 60, 500, 360)), day=1)
    assert stays(laid(whole, small, (100, 60, 500, 360), mirrored)) == (name(whole), reason)


@pytest.mark.parametrize(("factor", "kept"), [(1.4, "whole.png"), (1.7, "crop.png"), (3.0, "crop.png")])
def test_a_crop_of_far_higher_resolution_stays_and_says_what_it_lacks(factor: float, kept: str, make: Make) -> None:
    size = (round(640 / factor), round(480 / factor))
    whole, crop = make("whole.png", LARGE.resize(size, SIZE.LANCZOS)), make("crop.png", LARGE.crop((0, 0, 448, 480)))
    result = stays(laid(whole, crop, (0, 0, 0.7 * size[0], size[1])))
    lacking = f"finer ({factor} times the resolution, though cropped to about 70 % of the other)"
    assert result == (kept, lacking if kept == "crop.png" else "the whole picture (the other is cropped to about 70 %)")


def test_a_page_and_a_picture_pasted_into_it_both_stay(make: Make) -> None:
    page, part = make("page.png", LARGE), make("part.png", natural(3, 320, 240))
    found = laid(page, part, (50, 60, 210, 180))
    assert len(propose(found).proposals) == 1
    (only,) = found.pairs
    assert only.transform is not None
    pasted = replace(only, transform=replace(only.transform, pasted=True))
    assert propose(grouping((page, part), [pasted])).proposals == ()


def framed(image: Image.Image, border: int, colour: str = "white") -> Image.Image:
    page = Image.new("RGB", (image.width + 2 * border, image.height + 2 * border), colour)
    page.paste(image, (border, border))
    return page


@pytest.mark.parametrize("reasons", [(), ("margins aside",)])
@pytest.mark.parametrize(("border", "share"), [(80, 60), (12, 92), (5, 96)])
@pytest.mark.parametrize("options", [{"format": "PNG"}, {"format": "JPEG", "quality": 60}])
def test_a_border_wins_nothing(
    options: dict[str, object], border: int, share: int, reasons: tuple[str, ...], make: Make
) -> None:
    plain = make("plain.jpg", LARGE, quality=80)
    page = make("page.png", framed(LARGE, border, "black"), day=1, **options)
    inside = (border, border, 640 + border, 480 + border)
    expected = f"without a border (it fills about {share} % of the other)"
    assert stays(laid(page, plain, inside, False, *reasons)) == ("plain.jpg", expected)


def test_a_framed_copy_stays_where_it_shows_the_picture_larger(make: Make) -> None:
    plain, page = make("plain.png", LARGE.resize((320, 240), SIZE.LANCZOS)), make("page.png", framed(LARGE, 80))
    inside = (80, 80, 720, 560)
    assert stays(laid(page, plain, inside)) == ("page.png", "finer (2.0 times the resolution, though with a border)")
    blown = make("blown.png", framed(LARGE.resize((320, 240), SIZE.LANCZOS).resize((640, 480), SIZE.BICUBIC), 80))
    assert stays(laid(blown, plain, inside)) == ("plain.png", "without a border, and not enlarged")


def test_a_crop_that_cuts_into_a_picture_with_margins_is_no_picture_without_border(make: Make) -> None:
    page = make("page.png", framed(LARGE, 80))
    cut = make("cut.png", LARGE.crop((0, 0, 560, 480)), day=1)  # an eighth of the picture is gone
    assert stays(laid(page, cut, (80, 80, 640, 560)))[0] == "page.png"


def test_pictures_that_show_the_same_or_only_share_a_part_are_decided_by_their_pixels(make: Make) -> None:
    a, b = make("a.png", LARGE, day=2), make("b.png", LARGE.resize((600, 450)), day=1)
    for box in ((5, 5, 635, 475), (200, 0, 840, 480)):
        assert stays(laid(a, b, box))[1] == "more pixels (640×480 instead of 600×450)"


def test_in_the_example_folder_the_whole_pictures_win() -> None:
    folder = Path(__file__).resolve().parents[2] / "examples" / "folder"
    for whole, part, reason in (
        ("dress.jpg", "dress-cropped.jpg", "the whole picture (the other is cropped to about 58 %)"),
        ("dress-mirrored.jpg", "dress-cropped.jpg", "the whole picture (the other is cropped to about 58 %)"),
        ("shorts.jpg", "shorts-framed.jpg", "without a border (it fills about 61 % of the other)"),
    ):
        assert stays(group([folder / whole, folder / part], store=False)) == (whole, reason)


# What goes and what stays, apart from the pixels.


@pytest.fixture
def by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are as good as their ``bytes``; none is read."""
    monkeypatch.setattr(keep_module, "measure", lambda picture: Quality(picture, True, None, None))


def numbered(*sizes: int, reference: tuple[int, ...] = ()) -> list[PictureFile]:
    return [
        PictureFile(f"{at}.png", f"{at}", "PNG", size, size, 1, 0, reference=at in reference)
        for at, size in enumerate(sizes)
    ]


def component(pictures: list[PictureFile], *pairs: tuple[int, int, float]) -> Grouping:
    made = [Comparison(f"{a}.png", f"{b}.png", score, "near-duplicate", {}) for a, b, score in pairs]
    base, *rest = pictures
    return grouping(pictures, made, [Group(base.path, tuple(Member(one.path, None) for one in rest))])


def outcome(found: Grouping, **options: float) -> dict[str, list[str]]:
    proposals = propose(found, **options).proposals  # type: ignore[arg-type]
    return {proposal.keep.path: [other.picture.path for other in proposal.others] for proposal in proposals}


@pytest.mark.usefixtures("by_number")
def test_a_chain_keeps_both_ends_where_they_are_unlike() -> None:
    chain = ((0, 1, 0.95), (1, 2, 0.95))
    assert outcome(component(numbered(90, 80, 70), *chain)) == {"0.png": ["1.png"]}  # 2 is like 1 only, and stays
    assert outcome(component(numbered(80, 90, 70), *chain)) == {"1.png": ["0.png", "2.png"]}


@pytest.mark.usefixtures("by_number")
def test_one_that_goes_follows_the_one_it_is_most_alike_to() -> None:
    assert outcome(component(numbered(90, 95, 50), (0, 2, 0.99), (1, 2, 0.95)), least=0.9) == {"1.png": ["2.png"]}
    found = component(numbered(10, 20, 50, reference=(0, 1)), (0, 2, 0.95), (1, 2, 0.99))
    assert outcome(found) == {"1.png": ["2.png"]}  # references stay, however small
    (proposal,) = propose(found).proposals
    assert proposal.reason == "it belongs to the reference set"


@pytest.mark.usefixtures("by_number")
def test_only_copies_go_unless_less_is_asked() -> None:
    recoloured = component(numbered(90, 80), (0, 1, 0.86))
    assert outcome(recoloured) == {}
    assert outcome(recoloured, least=0.8) == {"0.png": ["1.png"]}


@pytest.mark.usefixtures("by_number")
def test_pairs_across_groups_are_left_alone() -> None:
    pictures = numbered(90, 80, 70)
    pairs = [Comparison(f"{a}.png", f"{b}.png", 0.95, "near-duplicate", {}) for a, b in ((0, 1), (1, 2))]
    assert outcome(grouping(pictures, pairs, [Group("0.png", (Member("1.png", 0.95),))])) == {"0.png": ["1.png"]}


@pytest.mark.usefixtures("by_number")
@settings(max_examples=60)
@given(
    st.lists(st.integers(50, 60), min_size=2, max_size=9),
    st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=20),
    st.sets(st.integers(0, 8), max_size=3),
    st.randoms(use_true_random=False),
)
def test_what_goes_is_alike_to_one_that_stays_whatever_the_order(sizes, edges, reference, random) -> None:  # type: ignore[no-untyped-def]
    pictures = numbered(*sizes, reference=tuple(reference))
    pairs = [(a, b, 0.9 + (a + b) / 200) for a, b in sorted(edges) if a < b < len(sizes)]
    found = component(pictures, *pairs)
    result = outcome(found)
    kept, gone = set(result), [path for others in result.values() for path in others]
    assert len(gone) == len(set(gone))
    assert not kept & set(gone)
    linked = {(f"{a}.png", f"{b}.png") for a, b, _ in pairs}
    assert all(
        (stays, goes) in linked or (goes, stays) in linked for stays, others in result.items() for goes in others
    )
    assert not {f"{at}.png" for at in reference} & set(gone)
    # no two copies stay, but where both are references
    left = [picture.path for picture in pictures if picture.path not in gone]
    assert all({a, b} <= {f"{at}.png" for at in reference} for a, b in linked if a in left and b in left)
    shuffled = list(found.pairs)
    random.shuffle(shuffled)
    assert outcome(replace(found, pairs=tuple(shuffled))) == result


def test_the_coloured_one_stays_however_large_its_grey_copy(make: Make) -> None:
    coloured = make("z.jpg", natural(3, 300, 225).filter(ImageFilter.GaussianBlur(0.1)), quality=80)
    grey = make("a.png", natural(3, 480, 360).convert("L"))
    proposal = decided(grey, coloured)
    assert name(proposal.keep) == "z.jpg"
    assert proposal.reason.startswith("in colour")
