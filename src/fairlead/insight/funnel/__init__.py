"""The funnel page: what was asked, the three readings, time in stage, the win rate, and the rows behind each number.

Everything here loads NumPy; views import it when they are called.
"""
