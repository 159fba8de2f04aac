#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual pages are well-formed and name every public function and constructor once. Each
# SYNOPSIS agrees with the headers, each example compiles, and those that are programs run. Needs
# srcdir, CC, CFLAGS, LDFLAGS; runs in the build directory.
set -eu
export LC_ALL=C

: "${srcdir:=.}" "${CC:=cc}" "${CFLAGS:=}" "${LDFLAGS:=}"
pages="$srcdir/doc/man/cogen*.7 $srcdir/doc/man/cg_*.3"
commands=$srcdir/doc/man/cogen-*.1
warnings='-std=c11 -Wall -Wextra -Werror'
work=$(mktemp -d "$PWD/man.XXXXXX")
trap 'rm -rf "$work"' EXIT
checks=0 failures=0

# check WHAT COMMAND...: runs and counts a command, and shows its output if it fails.
check() {
    what=$1
    shift
    checks=$((checks + 1))
    if ! "$@" >"$work/said" 2>&1; then
        echo "FAIL: $what"
        cat "$work/said"
        failures=$((failures + 1))
    fi
}

# nothing FILE: fails and shows the file if it is not empty.
nothing() {
    [ ! -s "$1" ] || { cat "$1" && false; }
}

# Prints the public functions and macros: the first name of a line such as "#define cg_read(...)
# cg__read(...)", and the name before the parameters of a declaration.
public() {
    cat "$srcdir"/include/cogen/*.h | sed -n 's/^#define \(cg_[a-z][a-z0-9_]*\)(.*/\1/p'
    cat "$srcdir"/include/cogen/*.h | tr '\n' ' ' | sed 's,/\*,\
&,g; s,\*/,&\
,g' | sed 's,^/\*.*\*/$,,' | tr '\n' ' ' | sed 's/;/&\
/g; s/{/&\
/g' | sed -n 's/.*\(CG_API\|static inline\) [^(]*[ *]\(cg_[a-z][a-z0-9_]*\)(.*/\2/p'
}

# Prints the names in a page's NAME section, for which install also makes links.
names() {
    awk '$1 == ".Sh" { on = $2 == "NAME" } on && $1 == ".Nm" { print $2 }' "$@"
}

# Prints the functions in the SYNOPSIS of a page.
shown() {
    awk '$1 == ".Sh" { on = $2 == "SYNOPSIS" } on && $1 == ".Fn" { print $2 }' "$@"
}

# -- Form ----------------------------------------------------------------------------------

if command -v mandoc >/dev/null; then
    for page in $pages $commands; do
        mandoc -T lint -W warning "$page" >"$work/lint" 2>&1 || :
        check "mandoc -T lint $page" nothing "$work/lint"
    done
else
    echo "SKIP: form of the manual pages: there is no mandoc (in Debian: mandoc)"
fi

# The second quoting macro of a line quotes within the first: use a line for each.
# shellcheck disable=SC2086 # each word is a page
grep -nE '^\.(P[qo] )?(Dq|Ql|Qq|Sq) .* (Dq|Ql|Qq|Sq) ' $pages $commands >"$work/nested" || :
check 'one quotation a line' nothing "$work/nested"

# -- The guides ----------------------------------------------------------------------------

# Prints the paths of sources in the guides that do not exist. They begin at any folder; "x" stands
# for a name, and sys/ is the system's.
gone() {
    # shellcheck disable=SC2016 # the backticks are Markdown's
    grep -ohE '`[a-z][a-z_0-9]*(/[a-z_0-9]+)+\.(c|h|sh|py|md)`' "$@" | tr -d '`' |
        grep -Ev '_x\.|^sys/' | sort -u | while read -r path; do
        [ -n "$(find "$srcdir" -path "*/$path" | head -n 1)" ] || echo "$path"
    done
}
gone "$srcdir"/README.md "$srcdir"/CONTRIBUTING.md "$srcdir"/doc/*.md "$srcdir"/bench/README.md \
    >"$work/gone"
check 'guides name sources that exist' nothing "$work/gone"

# -- Names ---------------------------------------------------------------------------------

public | sort -u >"$work/public"
# shellcheck disable=SC2086 # each word is a page
names $pages | grep '^cg_' | sort >"$work/named"
uniq -d "$work/named" >"$work/twice"
check 'documented on two pages' nothing "$work/twice"
comm -23 "$work/public" "$work/named" >"$work/missing"
check 'in a header, not in a page' nothing "$work/missing"
comm -13 "$work/public" "$work/named" >"$work/extra"
check 'in a page, not in a header' nothing "$work/extra"

# Constants may be documented in any page; macros that only the headers need are not documented.
constants() {
    cat "$@" | tr -c 'A-Z0-9_' '\n' | grep '^CG_[A-Z]' | sort -u
}
constants "$srcdir"/include/cogen/*.h | grep -Ev '^CG_(API|EXTERN_C_.*|OP_FIELDS)$' \
    >"$work/public-constants"
# shellcheck disable=SC2086 # each word is a page
constants $pages >"$work/constants"
comm -23 "$work/public-constants" "$work/constants" >"$work/missing"
check 'constants in a header, not in a page' nothing "$work/missing"
check 'the headers have public names' [ "$(wc -l <"$work/public")" -gt 100 ]

for page in $srcdir/doc/man/cg_*.3; do
    names "$page" | sort >"$work/named"
    shown "$page" | sort >"$work/shown"
    check "$page: NAME and SYNOPSIS agree" diff "$work/named" "$work/shown"
done

# Each reference must be to a page, or to a name for which there is a link.
# shellcheck disable=SC2086 # each word is a page
awk '$1 == ".Xr" && $2 ~ /^(cg_|cogen)/ { print $2 }' $pages | sort -u >"$work/wanted"
# shellcheck disable=SC2086 # each word is a page
{ names $pages; for page in $pages $commands; do
        basename "$page" | sed 's/\.[137]$//'
    done; } |
    sort -u >"$work/there"
comm -23 "$work/wanted" "$work/there" >"$work/lost"
check 'references lead somewhere' nothing "$work/lost"

# Prints the places of examples before which no sentence says what they do.
unexplained() {
    awk 'FNR == 1 || $1 == ".Sh" { on = $2 == "EXAMPLES"; said = 0 }
        on && $1 == ".Bd" { if (!said) print FILENAME ": " FNR; inside = 1 }
        $1 == ".Ed" { inside = said = 0 }
        on && !inside && !/^\./ { said = 1 }' "$@"
}
# shellcheck disable=SC2086 # each word is a page
unexplained $pages >"$work/unexplained"
check 'a sentence before each example' nothing "$work/unexplained"

for page in $srcdir/doc/man/cg_*.3; do
    check "cogen.7 lists $page" grep -q "^\.It Xr $(basename "$page" .3) 3\$" \
        "$srcdir/doc/man/cogen.7"
done

# -- Synopsis ------------------------------------------------------------------------------

# Makes a C file from a SYNOPSIS. Functions are declared again. Constructors, and other macros
# with keywords, are used with parameters of the types shown: "..." is left out, a parameter
# without a type takes any value, and "(op, ...)" is a list of operations.
synopsis() {
    awk -v macros="$work/macros" '
        BEGIN { while ((getline name < macros) > 0) macro[name] = 1 }
        $1 == ".Sh" { on = $2 == "SYNOPSIS" }
        !on { next }
        $1 == ".In" { print "#include <" $2 ">" }
        $1 == ".Ft" { sub(/^\.Ft /, ""); type = $0 }
        $1 == ".Fn" {
            name = $2
            n = split($0, part, "\"")
            parameters = arguments = ""
            for (i = 2; i <= n; i += 2) {
                p = part[i]
                if (p == "...")
                    continue
                if (p ~ /^\(/) {
                    argument = "(cg_pass(), cg_pass())"
                    p = ""
                } else if (p ~ /^[a-z]+$/ && p != "void") {
                    argument = p
                    p = "const char *" p
                } else {
                    argument = p
                    sub(/.*[ *]/, "", argument)
                }
                parameters = parameters (parameters && p ? ", " : "") p
                arguments = arguments (arguments ? ", " : "") argument
            }
            if (parameters == "")
                parameters = "void"
            if (name in macro)
                printf "void use_%s(%s);\nvoid use_%s(%s)\n{\n    %s it = %s(%s);\n" \
                    "    (void)it;\n}\n",
                    name, parameters, name, parameters, type, name, arguments
            else
                printf "%s %s(%s);\n", type, name, parameters
        }' "$1"
}

sed -n 's/^#define \(cg_[a-z][a-z0-9_]*\)(.*/\1/p' "$srcdir"/include/cogen/*.h >"$work/macros"
grep -ho 'static inline [^(]*(' "$srcdir"/include/cogen/*.h |
    sed 's/.*[ *]\(cg_[a-z0-9_]*\)($/\1/' >>"$work/macros"

# compile SOURCE OBJECT [OPTION...]
compile() {
    source=$1 object=$2
    shift 2
    # shellcheck disable=SC2086 # options are words
    $CC $CFLAGS $warnings "$@" -pthread -D_DEFAULT_SOURCE -I"$srcdir/include" \
        -c -o "$object" "$source"
}

for page in $srcdir/doc/man/cg_*.3; do
    synopsis "$page" >"$work/synopsis.c"
    check "$page: SYNOPSIS" compile "$work/synopsis.c" "$work/synopsis.o"
done

# -- Examples ------------------------------------------------------------------------------

# Writes each literal block of EXAMPLES to a file, as mandoc would show it.
examples() {
    awk -v out="$work/$2" '
        $1 == ".Sh" { on = $2 == "EXAMPLES" }
        on && $1 == ".Bd" { file = out "-" ++n ".c"; next }
        $1 == ".Ed" { file = "" }
        file != "" {
            gsub(/\\e/, "\001")
            gsub(/\\&/, "")
            gsub(/\\\(aq/, "\047")
            gsub(/\\-/, "-")
            gsub("\001", "\\")
            print >file
        }' "$1"
}

# A program has its own #include lines. A function gets those of the page's SYNOPSIS, and the
# usual ones.
whole() {
    if grep -q '^int main(' "$1"; then
        cat "$1"
    else
        sed -n 's/^\.In \(.*\)/#include <\1>/p' "$2"
        printf '#include <%s>\n' errno.h stdio.h string.h sys/socket.h
        cat "$1"
    fi
}

# The libraries with which a page's programs are linked, besides libcogen.
libraries() {
    ! grep -qE '^\.In cogen/(http|websocket)' "$1" || echo libcogen-http.la
    ! grep -q '^\.In cogen/tls' "$1" || echo libcogen-tls.la
}

link() {
    # shellcheck disable=SC2086 # options are words
    ./libtool --silent --tag=CC --mode=link $CC $CFLAGS $LDFLAGS -pthread -no-install \
        -o "$2" "$1" $(libraries "$page") libcogen.la
}

# The program must end by itself, with status 0.
run() {
    timeout 60 "$1" </dev/null
}

programs=0
for page in $pages; do
    name=$(basename "$page" | sed 's/\.[37]$//')
    examples "$page" "$name"
    check "$page has examples" [ -e "$work/$name-1.c" ]
    for example in "$work/$name"-*.c; do
        [ -e "$example" ] || continue
        what="$page: example $(basename "$example" .c | sed 's/.*-//')"
        whole "$example" "$page" >"$work/example.c"
        rm -f "$work/example.o" "$work/example"
        if ! grep -q '^int main(' "$work/example.c"; then
            check "$what" compile "$work/example.c" "$work/example.o" -Wno-unused-function
            continue
        fi
        check "$what" compile "$work/example.c" "$work/example.o"
        [ -e "$work/example.o" ] || continue
        if [ "$(libraries "$page")" ] && ! ls $(libraries "$page") >/dev/null 2>&1; then
            echo "SKIP: $what, linked: its library was not built"
            continue
        fi
        check "$what, linked" link "$work/example.o" "$work/example"
        check "$what, run" run "$work/example"
        programs=$((programs + 1))
    done
done
check 'there are programs among the examples' [ "$programs" -gt 5 ]

echo "$(((checks - failures) * 100 / checks))%: Checks: $checks," \
    "Failures: $failures, Errors: 0"
echo "$((checks - failures)) passed, $failures failed"
[ "$failures" -eq 0 ]
