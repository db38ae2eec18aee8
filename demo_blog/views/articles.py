from __future__ import annotations

from django.contrib import messages
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from demo_blog.forms import ArticleForm, CommentForm
from demo_blog.jobs import Home
from demo_blog.models import OPENING_LENGTH, Article
from demo_blog.paging import page_of
from jobqueue import read_values

RECENT = 6
PAGE = 20
COMMENTS_PAGE = 50


def openings() -> QuerySet[Article]:
    """Return all articles, each with the beginning of its text in place of the whole."""
    return Article.objects.defer("text").annotate(opening=Left("text", OPENING_LENGTH))


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    recent = list(openings()[:RECENT])
    counts, *words = read_values(Home.counts, *((Article.words, article.pk) for article in recent))
    context = {"counts": counts, "articles": zip(recent, words, strict=True)}
    return render(request, "demo_blog/home.html", context)


@require_safe
def home_figures(request: HttpRequest) -> HttpResponse:
    """Answer the part of the home page that follows every change."""
    return render(request, "demo_blog/_home_figures.html", {"counts": Home.counts.get()})


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    page = page_of(openings(), request.GET.get("page"), PAGE)
    words = read_values(*((Article.words, article.pk) for article in page.items))
    context = {"page": page, "articles": zip(page.items, words, strict=True)}
    return render(request, "demo_blog/article_list.html", context)


@require_safe
def show(request: HttpRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article, slug=slug)
    context = {
        "article": article,
        "words": article.words,
        "page": page_of(article.comments.all(), request.GET.get("page"), COMMENTS_PAGE),
        "form": CommentForm(),
    }
    return render(request, "demo_blog/article.html", context)


@require_safe
def figures(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer the part of an article's page that follows every change."""
    article = get_object_or_404(Article.objects.only("pk"), slug=slug)
    return render(request, "demo_blog/_article_figures.html", {"words": article.words})


def create(request: HttpRequest) -> HttpResponse:
    return _edit(request, Article(), "Write an article")


def edit(request: HttpRequest, slug: str) -> HttpResponse:
    return _edit(request, get_object_or_404(Article, slug=slug), "Edit the article")


def _edit(request: HttpRequest, article: Article, heading: str) -> HttpResponse:
    form = ArticleForm(request.POST or None, instance=article)
    if form.is_valid():
        messages.success(request, "The article is saved; its words are being counted.")
        return redirect(form.save())
    back = article.get_absolute_url() if article.pk else None
    return render(request, "demo_blog/form.html", {"form": form, "heading": heading, "back": back})


def delete(request: HttpRequest, slug: str) -> HttpResponse:
    article = get_object_or_404(Article, slug=slug)
    if request.method == "POST":
        article.delete()
        messages.success(request, f"“{article}” and its comments are deleted.")
        return redirect("articles")
    context = {"what": article, "takes_along": "Its comments", "back": article.get_absolute_url()}
    return render(request, "demo_blog/delete.html", context)
