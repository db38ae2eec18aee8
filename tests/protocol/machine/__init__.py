"""Hypothesis attacks the delivery protocol: any order of steps and faults, one set of laws."""

from __future__ import annotations
