"""Makes ``docs/accuracy.md`` from the rows in ``results/``; every number in it is one of them.

python benchmarks/accuracy_page.py                # the text
python benchmarks/accuracy_page.py --pictures     # and the pictures of mistakes, from the data folder
python benchmarks/accuracy_page.py --check        # is the page that is there what the rows say?
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import accuracy_fitted
import accuracy_folder
import accuracy_mistakes
import accuracy_sections
from accuracy_rows import Read

PAGE = Path(__file__).resolve().parents[1] / "docs" / "accuracy.md"

SECTIONS = (
    accuracy_sections.head,
    accuracy_sections.figures,
    accuracy_fitted.meaning,
    accuracy_sections.copies,
    accuracy_sections.others,
    accuracy_sections.methods,
    accuracy_sections.retrieval,
    accuracy_sections.recolours,
    accuracy_fitted.training,
    accuracy_folder.folder,
    accuracy_fitted.claims,
    accuracy_mistakes.mistakes,
)
"""What the page is made of, in order; each makes its lines from the rows."""


def page(read: Read) -> str:
    """The whole text."""
    return "\n\n".join("\n".join(section(read)).strip() for section in SECTIONS) + "\n"


def main() -> None:
    """Write the page, or say whether it is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", action="store_true", help="draw the mistakes anew; needs the data folder")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the page would change")
    asked = parser.parse_args()
    read = Read()
    if asked.check:
        same = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page(read)
        print("as the rows say" if same else f"{PAGE.name} is not what the rows say: run accuracy_page.py")
        sys.exit(0 if same else 1)
    if asked.pictures:
        import accuracy_strips

        accuracy_strips.draw(read)
    PAGE.write_text(page(read), encoding="utf-8")
    print(f"written: {PAGE.name}")


if __name__ == "__main__":
    main()
