"""The dashboard's addresses: ``path("jobs/", include("jobqueue.urls"))``."""

from __future__ import annotations

from django.urls import path, register_converter

from jobqueue.views import delayed, failed, health, locks, overview, queues, retries, schedule, stats, workers
from jobqueue.views.converters import NameConverter

register_converter(NameConverter, "jobqueue_name")

app_name = "jobqueue"
urlpatterns = [
    path("", overview.overview, name="overview"),
    path("working/", workers.working, name="working"),
    path("failed/", failed.failed, name="failed"),
    path("failed/retry/", failed.retry, name="retry"),
    path("failed/remove/", failed.remove, name="remove"),
    path("failed/retry-all/", failed.retry_all, name="retry_all"),
    path("failed/clear-retried/", failed.clear_retried, name="clear_retried"),
    path("failed/clear/", failed.clear, name="clear"),
    path("retries/", retries.retries, name="retries"),
    path("retries/retry-now/", retries.retry_now, name="retry_now"),
    path("retries/remove/", retries.remove_retry, name="remove_retry"),
    path("delayed/", delayed.delayed, name="delayed"),
    path("delayed/enqueue/", delayed.enqueue_now, name="enqueue_delayed"),
    path("delayed/remove/", delayed.remove, name="remove_delayed"),
    path("delayed/clear/", delayed.clear, name="clear_delayed"),
    path("schedule/", schedule.schedule, name="schedule"),
    path("schedule/<jobqueue_name:name>/", schedule.entry, name="entry"),
    path("schedule/<jobqueue_name:name>/run/", schedule.run, name="run_entry"),
    path("schedule/<jobqueue_name:name>/pause/", schedule.pause, name="pause_entry"),
    path("schedule/<jobqueue_name:name>/resume/", schedule.resume, name="resume_entry"),
    path("schedule/<jobqueue_name:name>/remove/", schedule.remove, name="remove_entry"),
    path("queues/", queues.queues, name="queues"),
    path("queues/<jobqueue_name:queue>/", queues.queue, name="queue"),
    path("queues/<jobqueue_name:queue>/pause/", queues.pause, name="pause"),
    path("queues/<jobqueue_name:queue>/resume/", queues.resume, name="resume"),
    path("queues/<jobqueue_name:queue>/remove/", queues.remove, name="remove_queue"),
    path("workers/", workers.workers, name="workers"),
    path("workers/prune/", workers.prune_silent, name="prune_silent"),
    path("workers/<jobqueue_name:worker_id>/", workers.worker, name="worker"),
    path("workers/<jobqueue_name:worker_id>/prune/", workers.prune, name="prune"),
    path("stats/", stats.totals, name="stats"),
    path("stats/redis/", stats.redis, name="redis"),
    path("stats/keys/", stats.keys, name="keys"),
    path("stats/keys/<jobqueue_name:key>/", stats.key, name="key"),
    path("stats/locks/", locks.locks, name="locks"),
    path("stats/locks/release/", locks.release, name="release_lock"),
    path("stats.txt", stats.text, name="stats_text"),
    path("health.json", health.health, name="health"),
]
