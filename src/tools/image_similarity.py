"""How alike two pictures are, as one number: a thin script over the library.

python src/tools/image_similarity.py a.jpg b.jpg
"""

from __future__ import annotations

import argparse
import sys

import lookalike
from lookalike.images.load import Source


class ProductImageSimilarity:
    """Scores of two product pictures, each in [0, 1]; pictures are paths, URLs, bytes, images or arrays."""

    def score_fast(self, a: Source, b: Source) -> float:
        """0.6·pHash + 0.4·SSIM: the preset ``fast``."""
        return lookalike.compare(a, b, preset="fast").score

    def score_semantic(self, a: Source, b: Source) -> float:
        """The fast score where it is sure, else half of it the embedding: the preset ``semantic``."""
        return lookalike.compare(a, b, preset="semantic").score

    def auto_score(self, a: Source, b: Source) -> float:
        """The default preset, whose bands mean something; see ``lookalike presets``."""
        return lookalike.compare(a, b).score


def image_similarity(a: Source, b: Source) -> float:
    """How alike two pictures are, in [0, 1]: 0.90 and more is a near-duplicate, below 0.65 another thing.

    Raises:
        lookalike.LookalikeError: a picture cannot be read.
    """
    return ProductImageSimilarity().auto_score(a, b)


def main() -> int:
    """Print the score of the two pictures named on the command line."""
    parser = argparse.ArgumentParser(description="Print how alike two pictures are, from 0 to 1.")
    parser.add_argument("a", help="a file or an http(s) URL")
    parser.add_argument("b", help="another")
    parser.add_argument("--mode", choices=("auto", "fast", "semantic"), default="auto", help="default: %(default)s")
    arguments = parser.parse_args()
    scorer = ProductImageSimilarity()
    score = {"auto": scorer.auto_score, "fast": scorer.score_fast, "semantic": scorer.score_semantic}[arguments.mode]
    try:
        print(f"{score(arguments.a, arguments.b):.4f}")
    except lookalike.LookalikeError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
