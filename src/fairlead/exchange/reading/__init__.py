"""From a file that somebody brings to typed values, without a database.

`files` finds out what a file is and streams its rows; `profile` looks at the whole of it once; `mapping` and
`matching` suggest what its columns and words mean here; `values` reads single cells; `mends` repairs them.
Whatever is wrong with a file is a `RowProblem` that names row, column and mend; nothing here raises at a
person.
"""
