"""What every answer tells the browser: to load nothing from elsewhere, to send nothing there, and to keep nothing."""

from __future__ import annotations

POLICY = "; ".join([
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    "media-src 'self' blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
])  # fmt: skip
"""Nothing comes from elsewhere, nothing goes elsewhere, and no script stands in a page."""

WORKER_POLICY = POLICY.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'")
"""The policy of the worker that reads images in a tab: it compiles WebAssembly. No other code of the page does."""

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), display-capture=(self), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
