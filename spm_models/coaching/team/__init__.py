"""What a team shares and celebrates: places with ranges and ties, badges, the team's goal. Off until turned on."""
