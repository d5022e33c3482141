-- How often an enterprise let paused grants go on lately: each time is an entry of the log.
create index grant_event_resumed on grant_event (actor, at_ms) where kind = 'resumed';
