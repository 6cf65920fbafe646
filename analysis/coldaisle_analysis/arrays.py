"""Types of the NumPy arrays of the analysis, by content; docstrings say the shapes where arrays are used."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
"""Whole numbers: times in ns, codes of categories, counts."""
Rows = npt.NDArray[np.intp]
"""Positions of rows in a table."""
Labels = npt.NDArray[np.int8]
"""1 for an attack, else 0."""
Mask = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Texts = npt.NDArray[np.object_]
