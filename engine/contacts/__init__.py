"""An account's contacts: who is asked for, reading them, and writing single ones. Membership is the sets' business."""
