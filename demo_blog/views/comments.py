from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from demo_blog.forms import CommentForm
from demo_blog.jobs import tell_of_comments
from demo_blog.models import Article, Comment


@require_POST
def create(request: HttpRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article.objects.only("title", "slug"), slug=slug)
    return _edit(request, Comment(article=article), "Comment on “{}”")


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    return _edit(request, _find(pk), "Edit the comment")


def _edit(request: HttpRequest, comment: Comment, heading: str) -> HttpResponse:
    form = CommentForm(request.POST or None, instance=comment)
    if form.is_valid():
        saved = form.save()
        tell_of_comments.enqueue(saved.article_id)
        messages.success(request, "The comment is saved.")
        return redirect(saved)
    article = comment.article
    context = {"form": form, "heading": heading.format(article), "back": article.get_absolute_url()}
    return render(request, "demo_blog/form.html", context)


def delete(request: HttpRequest, pk: int) -> HttpResponse:
    comment = _find(pk)
    article = comment.article
    if request.method == "POST":
        comment.delete()
        messages.success(request, "The comment is deleted.")
        return redirect(f"{article.get_absolute_url()}#comments")
    context = {"what": f"the comment by {comment.name}", "back": article.get_absolute_url()}
    return render(request, "demo_blog/delete.html", context)


def _find(pk: int) -> Comment:
    return get_object_or_404(Comment.objects.select_related("article"), pk=pk)
