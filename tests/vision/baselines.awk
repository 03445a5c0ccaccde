# SPDX-License-Identifier: MIT
# baselines.awk -- what old methods answer for the rows of TEST, when they have learnt from those of TRAIN.
#
#   awk -F , -v numbers=0 -f tests/vision/baselines.awk TRAIN TEST     the label, the nearest neighbour's class, Fisher's
#   awk -F , -v numbers=1 -f tests/vision/baselines.awk TRAIN TEST     the label, the number by least squares
#
# Both files have a header, numbers, and the label in the last column. Columns are brought to mean 0 and deviation 1 by
# the rows of TRAIN, whose numbers are 1 to `rows`; those of TEST come behind them, to `all`.

# Solves a x = b by elimination with the largest pivot: a[1..n, 1..n] with b as column n + 1, which are lost; to x[1..n].
function solve(i, j, k, best, keep) {
    for (j = 1; j <= n; j++) {
        best = j
        for (i = j + 1; i <= n; i++)
            if (a[i, j] ^ 2 > a[best, j] ^ 2)
                best = i
        for (k = j; k <= n + 1; k++) {
            keep = a[j, k]
            a[j, k] = a[best, k]
            a[best, k] = keep
        }
        for (i = j + 1; i <= n; i++)
            for (k = n + 1; k >= j; k--)
                a[i, k] -= a[i, j] / a[j, j] * a[j, k]
    }
    for (j = n; j >= 1; j--) {
        x[j] = a[j, n + 1]
        for (k = j + 1; k <= n; k++)
            x[j] -= a[j, k] * x[k]
        x[j] /= a[j, j]
    }
}

# a[i, j] = the sum of v_i v_j over the rows to train with, less the mean of each row's class where there are classes.
function products(i, j, r, c) {
    for (i = 1; i <= n; i++)
        for (j = 1; j <= n; j++) {
            a[i, j] = 0
            for (r = 1; r <= rows; r++) {
                c = label[r]
                a[i, j] += (v[r, i] - mean[c, i]) * (v[r, j] - mean[c, j])
            }
        }
}

# All classes have one covariance W: the score of class c is m W^-1 v - m W^-1 m / 2 + log of its share, m its mean.
function fisher_learn(r, j, c) {
    for (r = 1; r <= rows; r++)
        count[label[r]]++
    for (c in count)
        classes++
    for (r = 1; r <= rows; r++)
        for (j = 1; j <= n; j++)
            mean[label[r], j] += v[r, j] / count[label[r]]
    for (c in count) {
        products()
        for (j = 1; j <= n; j++)
            a[j, n + 1] = (rows - classes) * mean[c, j]
        solve()
        constant[c] = log(count[c] / rows)
        for (j = 1; j <= n; j++) {
            weight[c, j] = x[j]
            constant[c] -= mean[c, j] * x[j] / 2
        }
    }
}

function fisher(t, c, j, score, most, best) {
    best = ""
    for (c in count) {
        score = constant[c]
        for (j = 1; j <= n; j++)
            score += weight[c, j] * v[t, j]
        if (best == "" || score > most) {
            most = score
            best = c
        }
    }
    return best
}

function nearest(t, r, j, distance, least, best) {
    for (r = 1; r <= rows; r++) {
        distance = 0
        for (j = 1; j <= n; j++)
            distance += (v[r, j] - v[t, j]) ^ 2
        if (r == 1 || distance < least) {
            least = distance
            best = r
        }
    }
    return label[best]
}

# The constant is the mean of the labels, since each column's is 0.
function squares_learn(j, r) {
    for (r = 1; r <= rows; r++)
        average += label[r] / rows
    products()
    for (j = 1; j <= n; j++) {
        a[j, n + 1] = 0
        for (r = 1; r <= rows; r++)
            a[j, n + 1] += v[r, j] * (label[r] - average)
    }
    solve()
}

function squares(t, j, y) {
    y = average
    for (j = 1; j <= n; j++)
        y += x[j] * v[t, j]
    return y
}

FNR == 1 {
    rows = all
    n = NF - 1
    next
}
{
    all++
    for (j = 1; j <= n; j++)
        v[all, j] = $j
    label[all] = $NF
}
END {
    for (j = 1; j <= n; j++) {
        middle = scale = 0
        for (r = 1; r <= rows; r++)
            middle += v[r, j] / rows
        for (r = 1; r <= rows; r++)
            scale += (v[r, j] - middle) ^ 2 / rows
        for (r = 1; r <= all; r++)
            v[r, j] = (v[r, j] - middle) / sqrt(scale)
    }
    if (numbers)
        squares_learn()
    else
        fisher_learn()
    for (t = rows + 1; t <= all; t++)
        if (numbers)
            printf "%s %.9g\n", label[t], squares(t)
        else
            print label[t], nearest(t), fisher(t)
}
