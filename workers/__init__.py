"""Workers: the Dramatiq broker and actors, dispatcher, sweeper and health of what runs activities."""
