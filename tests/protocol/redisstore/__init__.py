"""The real scripts on a real Redis behind the model's methods, a module for each of the model's."""

from __future__ import annotations
