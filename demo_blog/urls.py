from __future__ import annotations

from django.contrib import admin
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from demo_blog.views import articles, comments, contact, tryout

urlpatterns = [
    path("", articles.home, name="home"),
    path("figures/", articles.home_figures, name="home_figures"),
    path("articles/", articles.index, name="articles"),
    path("write/", articles.create, name="article_create"),
    path("articles/<str:slug>/", articles.show, name="article"),
    path("articles/<str:slug>/figures/", articles.figures, name="article_figures"),
    path("articles/<str:slug>/edit/", articles.edit, name="article_edit"),
    path("articles/<str:slug>/delete/", articles.delete, name="article_delete"),
    path("articles/<str:slug>/comments/", comments.create, name="comment_create"),
    path("comments/<int:pk>/edit/", comments.edit, name="comment_edit"),
    path("comments/<int:pk>/delete/", comments.delete, name="comment_delete"),
    path("contact/", contact.contact, name="contact"),
    path("try/", tryout.index, name="try"),
    path("try/<str:name>/", tryout.start, name="try_start"),
    # Browsers ask for it on pages that name no icon, such as the admin's login.
    path("favicon.ico", RedirectView.as_view(url=static("demo_blog/icon.svg"))),
    path("jobs/", include("jobqueue.urls")),
    path("admin/", admin.site.urls),
]
