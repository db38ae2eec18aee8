"""Pages of a list whose length Redis tells together with the items, and the answers of its buttons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

PAGE_SIZE = 20
HIGHEST_PAGE = 10**12
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pager:
    """Which page is shown, and the links to the others."""

    number: int
    count: int
    size: int = PAGE_SIZE

    @property
    def last(self) -> int:
        return max(-(-self.count // self.size), 1)

    @property
    def start(self) -> int:
        return (self.number - 1) * self.size

    @property
    def is_needed(self) -> bool:
        return self.last > 1 or self.is_past_the_end

    @property
    def is_past_the_end(self) -> bool:
        return self.number > self.last

    @property
    def links(self) -> Iterator[int | str]:
        """Yield page numbers to offer, with an ellipsis for those left out."""
        offered = {1, 2, self.last - 1, self.last, *range(self.number - 2, self.number + 3)}
        previous = 0
        for number in sorted(number for number in offered if 1 <= number <= self.last):
            if number > previous + 1:
                yield ELLIPSIS
            yield number
            previous = number


def page_number(request: HttpRequest) -> int:
    """Return the page asked for, from 1; anything else than a number is page 1."""
    return max(whole_number(request.GET.get("page", ""), highest=HIGHEST_PAGE) or 1, 1)


def whole_number(text: str, *, highest: int) -> int | None:
    """Return the number a person's text names, if it is one from 0 to ``highest``."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(highest))):
        return None
    number = int(text)
    return number if number <= highest else None


def answer(request: HttpRequest, view: str, done: str, gone: str) -> HttpResponseRedirect:
    """Say what was done to one item of a list, or (if that is empty) that it is gone; return to the list."""
    if done:
        messages.success(request, done, fail_silently=True)
    else:
        messages.warning(request, gone, fail_silently=True)
    return back_to(view, request)


def back_to(view: str, request: HttpRequest) -> HttpResponseRedirect:
    """Return to where a form's button was: a page of a list, or one below it."""
    back, here = request.POST.get("next", ""), reverse(view)
    is_ours = back.startswith(here) and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    return HttpResponseRedirect(back if is_ours else here)
