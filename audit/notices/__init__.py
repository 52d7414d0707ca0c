"""What people outside must learn without looking: that signing stopped, that nothing is signed, each day's checkpoint.

Also what the signer does beside signing becomes an entry here: its own role may write none.
"""

from audit.notices.acts import record_acts
from audit.notices.matters import PublisherState
from audit.notices.sending import notify

__all__ = ["PublisherState", "notify", "record_acts"]
