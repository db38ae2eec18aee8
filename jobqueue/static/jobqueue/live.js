/* Keeps the regions marked data-live up to date: every two seconds it fetches the page it stands on and puts
   the new regions in place of the old ones. Nothing is changed while somebody selects text or the tab is hidden;
   what was folded open stays open. */
'use strict';
{
    const EVERY_MS = 2000;
    const TIMEOUT_MS = 10000;
    const REMEMBERED = 'jobqueue.paused';

    const control = document.getElementById('jq-live');
    const state = document.getElementById('jq-live-state');
    const button = document.getElementById('jq-live-button');

    const remembered = {
        get paused() {
            try {
                return localStorage.getItem(REMEMBERED) === 'yes';
            } catch {
                return false;
            }
        },
        set paused(value) {
            try {
                localStorage.setItem(REMEMBERED, value ? 'yes' : 'no');
            } catch {
                // Storage is switched off: the button works for this page alone.
            }
        }
    };

    let paused = remembered.paused;
    let timer = 0;
    let fetching = false;

    function show(kind, text) {
        control.dataset.state = kind;
        if (state.textContent !== text) {
            state.textContent = text;
        }
    }

    function showRest() {
        button.textContent = paused ? 'Resume' : 'Pause';
        show(paused ? 'paused' : 'live', paused ? 'Paused' : 'Live');
    }

    function isSelecting() {
        const selection = getSelection();
        if (!selection || selection.isCollapsed) {
            return false;
        }
        return [...document.querySelectorAll('[data-live]')].some((region) => selection.containsNode(region, true));
    }

    function openDetails(region) {
        return new Set([...region.querySelectorAll('details[open]')].map((each) => each.dataset.keep));
    }

    function swap(region, fresh) {
        if (region.innerHTML === fresh.innerHTML) {
            return;
        }
        const open = openDetails(region);
        const focused = region.contains(document.activeElement) ? describeFocus(region) : null;
        for (const details of fresh.querySelectorAll('details')) {
            details.open = open.has(details.dataset.keep);
        }
        region.replaceChildren(...document.importNode(fresh, true).childNodes);
        if (focused) {
            restoreFocus(region, focused);
        }
    }

    function describeFocus(region) {
        const element = document.activeElement;
        if (element.id) {
            return `#${CSS.escape(element.id)}`;
        }
        const details = element.closest('details[data-keep]');
        if (details && region.contains(details)) {
            return `details[data-keep="${CSS.escape(details.dataset.keep)}"] > summary`;
        }
        return element.href ? `a[href="${CSS.escape(element.getAttribute('href'))}"]` : null;
    }

    function restoreFocus(region, selector) {
        const element = region.querySelector(selector);
        if (element) {
            element.focus({preventScroll: true});
        }
    }

    function apply(text) {
        const fresh = new DOMParser().parseFromString(text, 'text/html');
        for (const region of document.querySelectorAll('[data-live]')) {
            const other = fresh.getElementById(region.id);
            if (other) {
                swap(region, other);
            }
        }
    }

    async function refresh() {
        const response = await fetch(location.href, {
            credentials: 'same-origin',
            cache: 'no-store',
            signal: AbortSignal.timeout(TIMEOUT_MS)
        });
        const text = await response.text();
        if (paused || isSelecting()) {
            return;
        }
        if (response.redirected || response.status === 403) {
            show('away', 'Logged out: reload the page');
        } else if (response.status === 503) {
            show('away', 'Redis is away, trying again');
        } else if (!response.ok) {
            show('away', `The page answers ${response.status}, trying again`);
        } else {
            apply(text);
            show('live', 'Live');
        }
    }

    async function turn() {
        if (paused || fetching || document.hidden || isSelecting()) {
            return;
        }
        fetching = true;
        try {
            await refresh();
        } catch {
            if (!paused) {
                show('away', 'The site is away, trying again');
            }
        } finally {
            fetching = false;
        }
    }

    function start() {
        clearInterval(timer);
        timer = paused ? 0 : setInterval(turn, EVERY_MS);
    }

    if (control) {
        control.hidden = false;
        showRest();
        start();
        button.addEventListener('click', () => {
            paused = !paused;
            remembered.paused = paused;
            showRest();
            start();
            turn();
        });
        document.addEventListener('visibilitychange', turn);
    }
}
