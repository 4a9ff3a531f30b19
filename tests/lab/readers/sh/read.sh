# Sources every file of a folder, each in a shell of its own, and prints what K0 to K6 then are:
# the file's name, then `=` and the value of each, or nothing if it is not set; a NUL after each.
#
#     read.sh FOLDER
cd "$1" || exit
for file in *; do
    (
        . "./$file"
        printf '%s\0' "$file" "${K0+=$K0}" "${K1+=$K1}" "${K2+=$K2}" "${K3+=$K3}" "${K4+=$K4}" \
            "${K5+=$K5}" "${K6+=$K6}"
    )
done
