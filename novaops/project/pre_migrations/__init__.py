"""What a project does with its pre-migrations: `ahead` of its plan, `around` an apply, and by themselves."""
