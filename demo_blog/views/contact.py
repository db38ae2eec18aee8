from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from demo_blog.forms import ContactForm
from demo_blog.jobs import send_contact_message


def contact(request: HttpRequest) -> HttpResponse:
    """Keep a reader's message and answer at once; a job sends the mail."""
    form = ContactForm(request.POST or None)
    if form.is_valid():
        send_contact_message.enqueue(form.save().pk)
        messages.success(request, "Thank you, your message is on its way.")
        return redirect("contact")
    return render(request, "demo_blog/contact.html", {"form": form})
