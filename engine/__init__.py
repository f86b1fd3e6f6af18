"""The domain of Muster: contact sets, activities, operations. No HTTP and no queue in here."""
