from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.core.validators import MaxLengthValidator, MinLengthValidator, RegexValidator
from django.db import migrations, models


def key() -> models.BigAutoField[int, int]:
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Article",
            fields=[
                ("id", key()),
                ("title", models.CharField(max_length=200)),
                ("slug", models.SlugField(allow_unicode=True, editable=False, max_length=220, unique=True)),
                ("text", models.TextField()),
                (
                    "created",
                    models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False),
                ),
                ("source", models.TextField(editable=False, null=True, unique=True)),
            ],
            options={"ordering": ("-created", "-pk")},
        ),
        migrations.CreateModel(
            name="ContactMessage",
            fields=[
                ("id", key()),
                (
                    "name",
                    models.CharField(
                        max_length=80,
                        validators=[RegexValidator("\\A[^\\r\\n]*\\Z", "Please write this on one line.")],
                    ),
                ),
                ("email", models.EmailField(max_length=254)),
                (
                    "text",
                    models.TextField(
                        max_length=5000,
                        validators=[
                            MinLengthValidator(10, "Please write ten letters at least."),
                            MaxLengthValidator(5000),
                        ],
                        verbose_name="message",
                    ),
                ),
                ("created", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("sent", models.DateTimeField(editable=False, null=True)),
            ],
            options={"ordering": ("-created", "-pk")},
        ),
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", key()),
                ("name", models.CharField(max_length=80)),
                ("text", models.TextField(verbose_name="comment")),
                ("created", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "article",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="comments",
                        to="demo_blog.article",
                    ),
                ),
            ],
            options={"ordering": ("-created", "-pk")},
        ),
    ]
