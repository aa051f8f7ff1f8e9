"""`python -m connectors.departments`: the same as `hedui departments serve`."""

from __future__ import annotations

import sys

from connectors.departments.serve import serve_main

sys.exit(serve_main(sys.argv[1:]))
