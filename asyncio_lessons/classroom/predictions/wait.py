"""Predictions of lesson 01: what waiting costs, what threads do, and what a selector can watch."""

from . import Prediction, Right, Wrong

CPU_OF_WAITING = Prediction(
    "cpu-of-waiting",
    "Five pages of 0.2 s take one second. For how much of it does the CPU work for this program?",
    Wrong(
        "all of it",
        "The program looks busy, because its next line does not run. But the system has taken the "
        "thread off the CPU until the answer comes.",
    ),
    Wrong(
        "about half of it",
        "That would be so if sending were as much work as waiting is long. Sending takes less "
        "than a thousandth of a second.",
    ),
    Right(
        "less than a tenth",
        "The CPU works while the program sends a request and reads an answer. In between, the "
        "thread waits and the CPU does other things.",
    ),
    shows="the CPU worked for less than a tenth of it: True",
)

HOW_MANY_ORDERS = Prediction(
    "how-many-orders",
    "Two threads run these five steps each. In how many orders can the ten steps run?",
    Wrong(
        "2: first all of A, or first all of B",
        "The system may stop a thread after any step, so A and B can be mixed in many ways.",
    ),
    Wrong(
        "25",
        "That counts pairs of a step of A and a step of B. An order says of each of ten places "
        "whose step runs there.",
    ),
    Right(
        "252",
        "Choose five of the ten places for the steps of A: there are 252 ways. The order of A's "
        "own steps is fixed, and so is that of B's.",
    ),
    Wrong(
        "3,628,800",
        "That is the number of orders of ten independent steps. Here the second step of A never "
        "runs before its first.",
    ),
    shows="252",
)

LOST_DEPOSITS = Prediction(
    "lost-deposits",
    "Each of two threads adds 1 to a total of 0. In how many of the six orders is the total 1?",
    Wrong(
        "in none",
        "Each thread does add 1, but to the total that it has read. If both have read 0, both "
        "write 1.",
    ),
    Right(
        "in four",
        "A deposit is lost whenever both threads read before the first of them writes. Only "
        "AABB and BBAA do not mix the steps.",
    ),
    Wrong(
        "in one",
        "ABBA is one of them. It is enough that B reads between A's two steps, or A between "
        "B's, and four orders have that.",
    ),
    shows="ABAB makes 1\nABBA makes 1\nBAAB makes 1\nBABA makes 1",
)

TWO_CPUS = Prediction(
    "two-cpus",
    "Two threads compute, on a machine with two CPUs or more. How many CPUs work at a time?",
    Wrong(
        "two, one for each thread",
        "The system would do that. But in CPython a thread needs the interpreter's lock to run "
        "Python code, and there is one lock.",
    ),
    Wrong(
        "two, and each at half speed",
        "A CPU runs at its own speed. The threads take turns, and the one without its turn runs "
        "not at all.",
    ),
    Right(
        "one",
        "The threads take turns: each holds the interpreter's lock for about 5 ms and then hands "
        "it over. Together they take as long as one after the other.",
    ),
    shows="more than one CPU was at work: False",
)

FILES = Prediction(
    "files",
    "The selector can wait for a socket. Can it wait until a file on the disk has been read?",
    Right(
        "no, for no file",
        "For the system a regular file is always ready, also when the disk is not. There is no "
        "moment to be told of.",
    ),
    Wrong(
        "yes, and asyncio reads files in this way",
        "asyncio uses the same selectors, and they refuse files. It has no function that reads a "
        "file; a file goes to a thread.",
        belief="asyncio makes files async",
    ),
    Wrong(
        "yes, if the file is large enough to take time",
        "Its size changes how long a read takes. It does not make the system report the file.",
    ),
    shows="a file:   False",
)
