"""Workers: the Dramatiq broker and actors, dispatcher, sweeper and health of the processes that run activities."""
