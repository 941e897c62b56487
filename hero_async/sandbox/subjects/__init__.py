"""What the sandbox serves: one module a subject, named as in `hero_async.api`. A new one is found by its name."""
