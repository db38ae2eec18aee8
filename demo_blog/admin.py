from __future__ import annotations

from django.contrib import admin

from demo_blog.models import Article, Comment, ContactMessage

admin.site.register(Article, list_display=["title", "created"], search_fields=["title", "text"])
admin.site.register(
    Comment,
    list_display=["name", "article", "created"],
    list_select_related=["article"],
    raw_id_fields=["article"],
)
admin.site.register(ContactMessage, list_display=["name", "email", "created", "sent"])
