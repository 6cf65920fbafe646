#!/usr/bin/env bash
# Behaviour: mlcroissant reads a CSV column that is declared sc:Integer exactly while it is full. As soon as one cell of it is
#   empty, every other value of the column passes through a 64-bit float: 1772406002500123457 becomes 1772406002500123392.
#   There is no warning, and the value is still an int. Times in nanoseconds since the epoch need 61 bits; a float has 53.
# Version: mlcroissant 1.1.1 with pandas 3.1.1, Python 3.11. The same from JSON; Parquet that pandas wrote is read exactly.
# Source: met when a dataset with nanosecond columns was read back through its own Croissant description.
# The guess: the declared data type decides how a column is read, so that a missing value costs that value alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  mlcroissant==1.1.1 pandas==3.1.1 numpy==2.4.6 pyarrow==26.0.1
printf 'n\n1772406002500123457\n1772406002500123459\n' >"$folder/full.csv"
printf 'n\n1772406002500123457\n""\n' >"$folder/gap.csv"
cat >"$folder/read.py" <<'PY'
import hashlib
import json
import logging
import sys
from pathlib import Path

import mlcroissant

logging.disable(logging.CRITICAL)
folder = Path(sys.argv[1])
CONTEXT = {
    "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/", "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/", "conformsTo": "dct:conformsTo", "column": "cr:column", "extract": "cr:extract",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "field": "cr:field", "fileObject": "cr:fileObject",
    "recordSet": "cr:recordSet", "source": "cr:source", "citeAs": "cr:citeAs",
}


def values(name):
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    file = {"@type": "cr:FileObject", "@id": "f", "name": "f", "contentUrl": name, "encodingFormat": "text/csv", "sha256": digest}
    field = {"@type": "cr:Field", "@id": "r/n", "name": "n", "dataType": "sc:Integer",
             "source": {"fileObject": {"@id": "f"}, "extract": {"column": "n"}}}
    about = {"@context": CONTEXT, "@type": "sc:Dataset", "name": "n", "description": "n", "version": "1.0.0",
             "conformsTo": "http://mlcommons.org/croissant/1.1", "license": "CC0-1.0", "url": "https://example.org",
             "datePublished": "2026-01-01", "creator": {"@type": "sc:Person", "name": "n"}, "distribution": [file],
             "recordSet": [{"@type": "cr:RecordSet", "@id": "r", "name": "r", "field": [field]}]}
    path = folder / f"{name}.json"
    path.write_text(json.dumps(about))
    return [row["r/n"] for row in mlcroissant.Dataset(jsonld=str(path)).records("r")]


full, gap = values("full.csv"), values("gap.csv")
print("full column:    ", full)
print("one cell empty: ", gap)
sys.exit((full, gap) != ([1772406002500123457, 1772406002500123459], [1772406002500123392, None]))
PY
"$folder/venv/bin/python" "$folder/read.py" "$folder" || { echo 'changed: mlcroissant does otherwise now'; exit 1; }
