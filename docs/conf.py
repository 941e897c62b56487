"""How the site is built: `nox -s docs`. Offline, with warnings as errors; no font or script comes from elsewhere."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

project = "hero-health"
author = "the hero-health contributors"
project_copyright = author
version = release = installed("hero-health")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton", "hero_reference"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_ext", "_static"]
root_doc = "index"
needs_sphinx = "8.2"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

suppress_warnings = ["ref.python"]  # the type `type` in a signature is looked for among fields of that name

default_role = "code"  # docstrings write names as `name`
add_module_names = False
python_maximum_signature_line_length = 88
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "undoc-members": False, "show-inheritance": True}
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

html_theme = "furo"
html_title = f"hero-health {release}"
html_static_path = ["_static"]
html_css_files = ["hero.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "native"
copybutton_prompt_text = r"\$ |>>> "
copybutton_prompt_is_regexp = True
