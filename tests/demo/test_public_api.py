from __future__ import annotations

import ast
from pathlib import Path

import demo_blog

PUBLIC = {"jobqueue", "jobqueue.exceptions"}


def test_the_demo_imports_what_every_site_may():
    imported = set()
    for path in Path(demo_blog.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            imported |= {name for name in names if name.split(".")[0] == "jobqueue"}

    assert imported == PUBLIC
