"""x"""
import time
def test_it(stage):
    t=time.monotonic()
    for p in ("/healthz","/readyz","/v1/me","/v1/virtual-devices","/v1/segments", "/docs", "/openapi.json"):
        r = stage.get(p); print(p, r.status_code, len(r.content), time.monotonic()-t)
