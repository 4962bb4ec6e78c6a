# Prints the n-th C++ or C program of a page (-v number=n), with the page's line numbers for the compiler.
/^```$/ { inside = 0 }
inside { print }
/^```(cpp|c)$/ && ++count == number { inside = 1; printf "#line %d \"%s\"\n", FNR + 1, FILENAME }
