"""RQ's own command, in a process that has loaded the jobs beforehand, as django-rq's has the site."""

from __future__ import annotations

from rq.cli import main

from benchmarks.peers import work

if __name__ == "__main__":
    assert work.KINDS
    main()
