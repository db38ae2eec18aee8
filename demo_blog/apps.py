from __future__ import annotations

from django.apps import AppConfig


class DemoBlogConfig(AppConfig):
    name = "demo_blog"
    verbose_name = "Blog"
