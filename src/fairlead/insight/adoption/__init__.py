"""How the new way of working is taken up: behaviour, burden, pulse, and what it gave back."""
