from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.urls import reverse
from tqdm import tqdm

from demo_blog.generating import save_comments
from demo_blog.importing import find_text_files, import_files
from demo_blog.models import Article

NAME = PASSWORD = "demo"
COMMENTS = 3000


class Command(BaseCommand):
    help = "Make the demo ready to be looked at: tables, articles, comments and, with DEBUG, a staff user."

    def handle(self, *args: Any, verbosity: int, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        if not Article.objects.exists():
            self.load_own_docs()
            self.load_comments(quiet=not verbosity)
        if settings.DEBUG:
            self.create_staff_user()
        self.print_addresses()

    def load_own_docs(self) -> None:
        root = settings.BASE_DIR
        pages = [root / "CHANGELOG.md", *find_text_files(root / "docs"), root / "README.md"]
        saved = sum(batch["new"] for batch in import_files([page for page in pages if page.exists()], root))
        self.stdout.write(f"Loaded {saved} articles: this project's own documentation.")

    def load_comments(self, *, quiet: bool) -> None:
        with tqdm(total=COMMENTS, unit=" comments", disable=True if quiet else None) as bar:
            for saved in save_comments(COMMENTS):
                bar.update(saved)
        self.stdout.write(f"Made up {COMMENTS} comments.")

    def create_staff_user(self) -> None:
        users = get_user_model().objects
        if not users.filter(username=NAME).exists():
            users.create_superuser(NAME, password=PASSWORD)
        self.stdout.write(f"Staff user: {NAME}, password: {PASSWORD}")

    def print_addresses(self) -> None:
        site = f"http://localhost:{os.environ.get('PORT', '8000')}"
        self.stdout.write(f"The blog:      {site}{reverse('home')}")
        self.stdout.write(f"The dashboard: {site}{reverse('jobqueue:overview')}")
