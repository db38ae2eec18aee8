from __future__ import annotations

from django.forms import modelform_factory

from demo_blog.models import Article, Comment, ContactMessage

ArticleForm = modelform_factory(Article, fields=["title", "text"])
CommentForm = modelform_factory(Comment, fields=["name", "text"])
ContactForm = modelform_factory(ContactMessage, fields=["name", "email", "text"])
