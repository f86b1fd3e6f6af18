"""Tracking: who was sent which campaign, opened it, clicked, bounced or unsubscribed, as told by tracking events.

Kept as contact sets, one a campaign and event. Campaigns are known by their events only.
"""
