"""Writes the table as a text: `python -m tests.matrix`."""

from config.env import ROOT
from tests.matrix.document import TEXT, document

(ROOT / TEXT).write_text(document())
