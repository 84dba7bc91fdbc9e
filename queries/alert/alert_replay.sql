-- title: Which alert rules would have fired in the window, and for how long
-- when: After a change of thresholds, before they go to the pager; or to see what an incident would have raised.
-- params: none
select alert_group, alert, severity, region, service, label, fires_at, resolves_at, held_seconds, worst, threshold, unit
from alert_firings
order by fires_at, alert_group, alert, region, service, label
