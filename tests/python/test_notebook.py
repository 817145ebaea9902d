"""The notebook of docs runs from top to bottom, and prints what it shows."""
import os
import unittest

import notebook
from support import ROOT


class Notebook(unittest.TestCase):
    def test_plane(self):
        self.assertEqual(notebook.run(os.path.join(ROOT, "docs", "plane.ipynb")), [])


if __name__ == "__main__":
    unittest.main()
