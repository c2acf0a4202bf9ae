import re

from facemood.server.prometheus import BOUNDS, Metrics

LINE = re.compile(r'[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+')


def test_every_line_is_one_that_prometheus_reads() -> None:
    metrics = Metrics()
    metrics.count("facemood_requests_total", route="/v1/analyze", status="200")
    metrics.observe(0.02)
    lines = metrics.text({("facemood_videos", (("state", "done"),)): 2, ("facemood_connections", ()): 1}).splitlines()
    assert all(line.startswith("# ") or LINE.fullmatch(line) for line in lines)
    assert 'facemood_requests_total{route="/v1/analyze",status="200"} 1' in lines
    assert 'facemood_videos{state="done"} 2' in lines
    assert "facemood_frames_total 0" in lines


def test_delays_are_counted_in_growing_classes() -> None:
    metrics = Metrics()
    for seconds in (0.005, 0.3, 9.0):
        metrics.observe(seconds)
    counts = [int(value) for value in re.findall(r"live_seconds_bucket\S+ (\d+)", metrics.text({}))]
    assert len(counts) == len(BOUNDS) + 1
    assert counts == sorted(counts)
    assert (counts[0], counts[-1]) == (1, 3)
